import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, ChunkKind, Digest, GrantEntry, SnapshotRoot } from '@portcullis/contracts/snapshot';
import type { PackedServer } from './packed-definition.js';
import type { PolicySnapshot } from './policy-snapshot.js';

export const CHUNK_KINDS: readonly ChunkKind[] = ['servers', 'agents', 'grants'];

/** Digests of a kind's buckets by bucket number; null for an empty one. */
export type BucketList = readonly (Digest | null)[];

/** A snapshot together with what is needed to load the next one from the difference alone. */
export interface LoadedSnapshot {
  readonly snapshot: PolicySnapshot;
  /** The snapshot's own, known to be packed. */
  readonly servers: ReadonlyMap<Id, PackedServer>;
  readonly root: SnapshotRoot;
  readonly buckets: Readonly<Record<ChunkKind, BucketList>>;
  /** Ids that each bucket holds: of servers, of agents, of the subjects of grants. */
  readonly ids: Readonly<Record<ChunkKind, ReadonlyMap<number, readonly Id[]>>>;
  /** Every content the snapshot consists of, root and indexes included, with its length in bytes. */
  readonly sizes: ReadonlyMap<Digest, number>;
}

/** The entries that a bucket holds now; none when it has become empty. */
export interface BucketUpdate<Item> {
  readonly bucket: number;
  readonly items: readonly Item[];
}

/** The buckets that differ from the snapshot before. */
export interface BucketUpdates {
  readonly servers: readonly BucketUpdate<PackedServer>[];
  readonly agents: readonly BucketUpdate<AgentEntry>[];
  readonly grants: readonly BucketUpdate<GrantEntry>[];
}
