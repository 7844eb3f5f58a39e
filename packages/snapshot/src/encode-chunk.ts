import {
  AgentsChunk,
  bucketOf,
  GrantsChunk,
  ServersChunk,
  SettingsChunk,
  type AgentEntry,
  type ChunkKind,
  type GrantEntry,
  type ServerEntry,
  type SettingsEntry,
} from '@portcullis/contracts/snapshot';
import { encodeContent, type Encoded } from './content.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** What lies in one bucket. */
export type BucketContent =
  | { readonly kind: 'servers'; readonly bucket: number; readonly items: readonly ServerEntry[] }
  | { readonly kind: 'agents'; readonly bucket: number; readonly items: readonly AgentEntry[] }
  | { readonly kind: 'grants'; readonly bucket: number; readonly items: readonly GrantEntry[] };

/** The entity whose id chooses the bucket: a grant lies with its subject. */
export function bucketIdOf(kind: ChunkKind, item: ServerEntry | AgentEntry | GrantEntry): string {
  if (kind !== 'grants' || !('subject' in item)) return item.id;
  return subjectIdOf(item);
}

export const subjectIdOf = ({ subject }: GrantEntry): string => ('agentId' in subject ? subject.agentId : subject.groupId);

const chunkSchemas = { servers: ServersChunk, agents: AgentsChunk, grants: GrantsChunk } as const;

/**
 * Encodes one bucket. Items are sorted by id, so the order of rows never shows. Throws a SnapshotRefusal for what a node would refuse:
 * an entry of the wrong shape or bucket, an id twice, more than 5 MiB.
 */
export function encodeChunk(content: BucketContent): Encoded {
  const items = [...content.items].sort((a, b) => (a.id < b.id ? -1 : 1));
  const parsed = chunkSchemas[content.kind].safeParse({ ...content, items });
  if (!parsed.success) throw new SnapshotRefusal('chunk_malformed', `${content.kind} bucket ${content.bucket}${faultIn(items, parsed.error)}`);
  items.forEach((item, at) => {
    if (bucketOf(bucketIdOf(content.kind, item)) !== content.bucket) throw new SnapshotRefusal('chunk_misplaced', item.id);
    if (items[at + 1]?.id === item.id) throw new SnapshotRefusal('duplicate', item.id);
  });
  return encodeContent(parsed.data);
}

interface Fault {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** The first fault by the id of its entry and the place in it: one row that a node would refuse holds up all of policy, and somebody has to find it. */
function faultIn(items: readonly { readonly id: string }[], { issues: [issue] }: Fault): string {
  if (issue === undefined) return '';
  const [member, index, ...path] = issue.path;
  const entry = member === 'items' && typeof index === 'number' ? `, ${items[index]?.id ?? index}` : '';
  return `${entry} at /${path.join('/')}: ${issue.message}`;
}

/** Encodes the settings chunk; throws a SnapshotRefusal when they are not valid. */
export function encodeSettings(settings: SettingsEntry): Encoded {
  const parsed = SettingsChunk.safeParse({ kind: 'settings', settings });
  if (!parsed.success) throw new SnapshotRefusal('chunk_malformed', 'settings', { cause: parsed.error });
  return encodeContent(parsed.data);
}
