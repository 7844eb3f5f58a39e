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

export const encodeIndex = (index: SnapshotIndex): Encoded => encodeContent(index);
export const encodeRoot = (root: SnapshotRoot): Encoded => encodeContent(root);

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
      const chunks = Array.from({ length: BUCKETS_PER_INDEX }, (_each, at) => buckets[kind].get(index * BUCKETS_PER_INDEX + at) ?? null);
      if (chunks.every((digest) => digest === null)) return null;
      const one = encodeIndex({ kind, index, chunks });
      encoded.push(one);
      return one.digest;
    });
  const indexes = { servers: indexesOf('servers'), agents: indexesOf('agents'), grants: indexesOf('grants') };
  const root = encodeRoot({ schema: SNAPSHOT_SCHEMA_VERSION, revision, settings: settingsDigest, indexes });
  return { root, indexes: encoded };
}
