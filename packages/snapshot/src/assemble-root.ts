import {
  BUCKETS_PER_KIND,
  INDEXES_PER_KIND,
  SNAPSHOT_SCHEMA_VERSION,
  type ChunkKind,
  type Digest,
  type SnapshotIndex,
  type SnapshotRoot,
} from '@portcullis/contracts/snapshot';
import { encodeContent, type Encoded } from './content.js';

/** Buckets named by one index. */
export const BUCKETS_PER_INDEX = BUCKETS_PER_KIND / INDEXES_PER_KIND;

/** Digests of the buckets that are not empty, by bucket number. */
export type BucketDigests = Readonly<Record<ChunkKind, ReadonlyMap<number, Digest>>>;

const encodeIndex = (index: SnapshotIndex): Encoded => encodeContent(index);
export const encodeRoot = (root: SnapshotRoot): Encoded => encodeContent(root);

/** The index over its part of a kind's buckets; null where nothing lies in any of them. */
export function indexOver(kind: ChunkKind, index: number, digestIn: (bucket: number) => Digest | null): Encoded | null {
  const chunks = Array.from({ length: BUCKETS_PER_INDEX }, (_, at) => digestIn(index * BUCKETS_PER_INDEX + at));
  return chunks.every((digest) => digest === null) ? null : encodeIndex({ kind, index, chunks });
}

/** The upper part of the tree over the buckets: equal buckets, settings and revision give equal bytes. */
export interface AssembledRoot {
  readonly root: Encoded;
  readonly indexes: readonly Encoded[];
}

/** Builds indexes and root over bucket digests. An index whose buckets are all empty is null in the root and not encoded. */
export function assembleRoot(buckets: BucketDigests, settingsDigest: Digest, revision: number): AssembledRoot {
  const encoded: Encoded[] = [];
  const indexesOf = (kind: ChunkKind): (Digest | null)[] =>
    Array.from({ length: INDEXES_PER_KIND }, (_, index) => {
      const one = indexOver(kind, index, (bucket) => buckets[kind].get(bucket) ?? null);
      if (one !== null) encoded.push(one);
      return one?.digest ?? null;
    });
  const indexes = { servers: indexesOf('servers'), agents: indexesOf('agents'), grants: indexesOf('grants') };
  const root = encodeRoot({ schema: SNAPSHOT_SCHEMA_VERSION, revision, settings: settingsDigest, indexes });
  return { root, indexes: encoded };
}
