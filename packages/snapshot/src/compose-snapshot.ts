import type { Id, Slug } from '@portcullis/contracts/names';
import type {
  AgentEntry,
  AgentKeyEntry,
  ChunkKind,
  Digest,
  GrantEntry,
  ServerEntry,
  SettingsEntry,
  SnapshotHead,
  SnapshotRoot,
} from '@portcullis/contracts/snapshot';
import { Breath } from './breath.js';
import { subjectIdOf } from './encode-chunk.js';
import type { BucketList, BucketUpdate, BucketUpdates, LoadedSnapshot } from './loaded-snapshot.js';
import { sameServer } from './packed-definition.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** All parts of a snapshot, read and checked one by one. */
export interface SnapshotParts {
  readonly head: SnapshotHead;
  readonly root: SnapshotRoot;
  readonly buckets: Readonly<Record<ChunkKind, BucketList>>;
  readonly settings: SettingsEntry;
  readonly updates: BucketUpdates;
  readonly sizes: ReadonlyMap<Digest, number>;
}

type ById<Entry> = ReadonlyMap<Id, Entry>;
type BucketIds = ReadonlyMap<number, readonly Id[]>;
type AgentByKeyId = ReadonlyMap<string, { readonly agent: AgentEntry; readonly key: AgentKeyEntry }>;

/**
 * Puts a snapshot together from the one before and the buckets that differ, with pauses for other work. Throws a SnapshotRefusal where two entries
 * claim one name.
 */
export async function composeSnapshot(parts: SnapshotParts, previous: LoadedSnapshot | undefined): Promise<LoadedSnapshot> {
  const { head, root, buckets, settings, updates, sizes } = parts;
  const before = previous?.snapshot;
  const breath = new Breath();
  const servers = await merge({ entries: previous?.servers, ids: previous?.ids.servers, same: sameServer, breath }, updates.servers.map(byId));
  const agents = await merge({ entries: before?.agents, ids: previous?.ids.agents, same: sameJson, breath }, updates.agents.map(byId));
  const grants = await merge({ entries: before?.grantsBySubject, ids: previous?.ids.grants, same: sameJson, breath }, updates.grants.map(bySubject));
  const serversBySlug = await slugs(before?.serversBySlug ?? new Map(), servers, breath);
  const agentByKeyId = await keys(before?.agentByKeyId ?? new Map(), agents, breath);
  return {
    root,
    buckets,
    sizes,
    servers: servers.entries,
    ids: { servers: servers.ids, agents: agents.ids, grants: grants.ids },
    snapshot: {
      epoch: head.epoch,
      revision: head.revision,
      rootDigest: head.rootDigest,
      settings,
      servers: servers.entries,
      serversBySlug,
      agents: agents.entries,
      agentByKeyId,
      grantsBySubject: grants.entries,
      changed: {
        settings: settings !== before?.settings,
        serverIds: servers.changed,
        agentIds: agents.changed,
        subjectIds: grants.changed,
      },
    },
  };
}

interface Merged<Entry> {
  readonly entries: ById<Entry>;
  readonly ids: BucketIds;
  readonly changed: ReadonlySet<Id>;
  /** Entries that are no longer there, or not like this. */
  readonly gone: readonly Entry[];
  readonly fresh: readonly Entry[];
}

interface EntryUpdate<Entry> {
  readonly bucket: number;
  readonly entries: ById<Entry>;
}

function bySubject({ bucket, items }: BucketUpdate<GrantEntry>): EntryUpdate<readonly GrantEntry[]> {
  const subjects = new Map<Id, GrantEntry[]>();
  for (const grant of items) {
    const grants = subjects.get(subjectIdOf(grant));
    if (grants === undefined) subjects.set(subjectIdOf(grant), [grant]);
    else grants.push(grant);
  }
  return { bucket, entries: subjects };
}

function byId<Entry extends { readonly id: Id }>({ bucket, items }: BucketUpdate<Entry>): EntryUpdate<Entry> {
  return { bucket, entries: new Map(items.map((item) => [item.id, item])) };
}

interface MergeInto<Entry> {
  readonly entries: ById<Entry> | undefined;
  readonly ids: BucketIds | undefined;
  readonly same: (was: Entry, is: Entry) => boolean;
  readonly breath: Breath;
}

const sameJson = (was: unknown, is: unknown): boolean => JSON.stringify(was) === JSON.stringify(is);

/** Entries that say the same as before stay the same objects. An id lies in the bucket it names, so no two buckets can claim it. */
async function merge<Entry>(into: MergeInto<Entry>, updates: readonly EntryUpdate<Entry>[]): Promise<Merged<Entry>> {
  const { entries: before = new Map<Id, Entry>(), ids: idsBefore = new Map<number, readonly Id[]>(), same, breath } = into;
  if (updates.length === 0) return { entries: before, ids: idsBefore, changed: new Set(), gone: [], fresh: [] };
  const [entries, ids, changed] = [new Map(before), new Map(idsBefore), new Set<Id>()];
  const [gone, fresh]: [Entry[], Entry[]] = [[], []];
  for (const update of updates) {
    if (breath.isDue) await breath.take();
    for (const id of new Set([...(idsBefore.get(update.bucket) ?? []), ...update.entries.keys()])) {
      const [was, is] = [before.get(id), update.entries.get(id)];
      if (was !== undefined && is !== undefined && same(was, is)) continue;
      changed.add(id);
      if (was !== undefined) gone.push(was);
      if (is === undefined) entries.delete(id);
      else entries.set(id, is);
      if (is !== undefined) fresh.push(is);
    }
    if (update.entries.size === 0) ids.delete(update.bucket);
    else ids.set(update.bucket, [...update.entries.keys()]);
  }
  return { entries, ids, changed, gone, fresh };
}

async function slugs(
  before: ReadonlyMap<Slug, ServerEntry>,
  { gone, fresh }: Merged<ServerEntry>,
  breath: Breath,
): Promise<ReadonlyMap<Slug, ServerEntry>> {
  if (gone.length + fresh.length === 0) return before;
  const next = new Map(before);
  for (const server of gone) next.delete(server.slug);
  for (const server of fresh) {
    if (breath.isDue) await breath.take();
    claim(next, server.slug, server);
  }
  return next;
}

async function keys(before: AgentByKeyId, { gone, fresh }: Merged<AgentEntry>, breath: Breath): Promise<AgentByKeyId> {
  if (gone.length + fresh.length === 0) return before;
  const next = new Map(before);
  for (const agent of gone) for (const key of agent.keys) next.delete(key.id);
  for (const agent of fresh) {
    if (breath.isDue) await breath.take();
    for (const key of agent.keys) claim(next, key.id, { agent, key });
  }
  return next;
}

/** Two servers under one slug, or two agents under one key, would make a call mean something else than was granted. */
function claim<Value>(names: Map<string, Value>, name: string, value: Value): void {
  if (names.has(name)) throw new SnapshotRefusal('duplicate', name);
  names.set(name, value);
}
