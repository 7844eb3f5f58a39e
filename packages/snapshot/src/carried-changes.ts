import {
  AgentsChunk,
  GrantsChunk,
  type CarriedBucket,
  type CarriedChanges,
  type ChunkKind,
  type Digest,
  type SnapshotHead,
} from '@portcullis/contracts/snapshot';
import { BUCKETS_PER_INDEX, encodeRoot, indexOver } from './assemble-root.js';
import type { Encoded } from './content.js';
import { decodeContent, type Schema } from './decode-content.js';
import { encodeChunk } from './encode-chunk.js';
import { CARRIED_BYTES_MAX } from './limits.js';
import type { LoadedSnapshot } from './loaded-snapshot.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

interface Entry {
  readonly id: string;
}

interface Difference<Item> {
  readonly put: Item[];
  readonly gone: string[];
}

/** A bucket's content as `encodeChunk` gave it; null for an empty bucket. */
type Content = Uint8Array | null;

/** What of a bucket differs between two of its contents. */
export function changeOfBucket(kind: CarriedBucket['kind'], bucket: number, [before, after]: readonly [Content, Content]): CarriedBucket {
  switch (kind) {
    case 'agents':
      return { kind, bucket, ...difference(itemsIn(AgentsChunk, before), itemsIn(AgentsChunk, after)) };
    case 'grants':
      return { kind, bucket, ...difference(itemsIn(GrantsChunk, before), itemsIn(GrantsChunk, after)) };
  }
}

/** Whether a head has room for these: it travels as text within JSON text. */
export const isCarried = (changes: CarriedChanges): boolean => Buffer.byteLength(JSON.stringify(JSON.stringify(changes))) <= CARRIED_BYTES_MAX;

function itemsIn<Item>(schema: Schema<{ items: Item[] }>, content: Content): readonly Item[] {
  return content === null ? [] : decodeContent(schema, content, 'own bucket').items;
}

function difference<Item extends Entry>(was: readonly Item[], is: readonly Item[]): Difference<Item> {
  const known = new Map(was.map((entry) => [entry.id, JSON.stringify(entry)]));
  const still = new Set(is.map(({ id }) => id));
  return {
    put: is.filter((entry) => known.get(entry.id) !== JSON.stringify(entry)),
    gone: was.flatMap(({ id }) => (still.has(id) ? [] : id)),
  };
}

/**
 * The contents that a head's snapshot has and the one before has not, made from that one and what the head carries. Undefined where it carries nothing
 * for the one before, or where that does not lead to the very root that the head names: then they are to be read.
 */
export function regrow(head: SnapshotHead, previous: LoadedSnapshot | undefined): ReadonlyMap<Digest, Uint8Array> | undefined {
  const { changes } = head;
  if (changes === undefined || previous?.snapshot.revision !== changes.after || previous.snapshot.epoch !== head.epoch) return undefined;
  try {
    const { root, below } = grow(head, changes, previous);
    return root.digest === head.rootDigest ? new Map([...below, root].map(({ digest, bytes }) => [digest, bytes])) : undefined;
  } catch (error) {
    if (error instanceof SnapshotRefusal) return undefined;
    throw error;
  }
}

function grow({ schema, revision }: SnapshotHead, { buckets }: CarriedChanges, previous: LoadedSnapshot): { root: Encoded; below: Encoded[] } {
  const below: Encoded[] = [];
  const digestOf = (content: Encoded | null): Digest | null => {
    if (content !== null) below.push(content);
    return content?.digest ?? null;
  };
  const indexesOf = (kind: ChunkKind): (Digest | null)[] => {
    const ours = new Map(buckets.flatMap((change) => (change.kind === kind ? [[change.bucket, digestOf(grownBucket(change, previous))]] : [])));
    const touched = new Set([...ours.keys()].map((bucket) => Math.floor(bucket / BUCKETS_PER_INDEX)));
    const digestIn = (bucket: number): Digest | null => ours.get(bucket) ?? (ours.has(bucket) ? null : (previous.buckets[kind][bucket] ?? null));
    return previous.root.indexes[kind].map((digest, index) => (touched.has(index) ? digestOf(indexOver(kind, index, digestIn)) : digest));
  };
  const indexes = { servers: previous.root.indexes.servers, agents: indexesOf('agents'), grants: indexesOf('grants') };
  return { root: encodeRoot({ schema, revision, settings: previous.root.settings, indexes }), below };
}

function grownBucket(change: CarriedBucket, { ids, parts }: LoadedSnapshot): Encoded | null {
  const { kind, bucket } = change;
  const held = ids[kind][bucket] ?? [];
  switch (kind) {
    case 'agents': {
      const items = grown(
        held.flatMap((id) => parts.agents.get(id) ?? []),
        change,
      );
      return items.length === 0 ? null : encodeChunk({ kind, bucket, items });
    }
    case 'grants': {
      const items = grown(
        held.flatMap((id) => parts.grantsBySubject.get(id) ?? []),
        change,
      );
      return items.length === 0 ? null : encodeChunk({ kind, bucket, items });
    }
  }
}

function grown<Item extends Entry>(held: readonly Item[], { put, gone }: Difference<Item>): Item[] {
  const other = new Set([...gone, ...put.map(({ id }) => id)]);
  return [...held.filter(({ id }) => !other.has(id)), ...put];
}
