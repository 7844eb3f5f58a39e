import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, AgentKeyEntry, ChunkKind, Digest, GrantEntry, SnapshotRoot } from '@portcullis/contracts/snapshot';
import type { PackedServer } from './packed-definition.js';
import type { PolicySnapshot } from './policy-snapshot.js';
import type { SharedMap } from './shared-map.js';

/** Digests of a kind's buckets by bucket number; null for an empty one. */
export type BucketList = readonly (Digest | null)[];

/** A key with the agent it belongs to. */
export interface KeyOfAgent {
  readonly agent: AgentEntry;
  readonly key: AgentKeyEntry;
}

/** What a snapshot is made of, each part shared with the next one where it stays. */
export interface LoadedParts {
  readonly servers: SharedMap<PackedServer>;
  readonly serversBySlug: SharedMap<PackedServer>;
  readonly agents: SharedMap<AgentEntry>;
  readonly agentsBySlug: SharedMap<AgentEntry>;
  readonly agentByKeyId: SharedMap<KeyOfAgent>;
  readonly grantsBySubject: SharedMap<readonly GrantEntry[]>;
}

/** A snapshot together with what is needed to load the next one from the difference alone. */
export interface LoadedSnapshot {
  readonly snapshot: PolicySnapshot;
  readonly parts: LoadedParts;
  readonly root: SnapshotRoot;
  readonly buckets: Readonly<Record<ChunkKind, BucketList>>;
  /** Ids that each bucket holds, by bucket number: of servers, of agents, of the subjects of grants. */
  readonly ids: Readonly<Record<ChunkKind, readonly (readonly Id[] | undefined)[]>>;
  /** Every content the snapshot consists of, root and indexes included, with its length in bytes. */
  readonly sizes: SharedMap<number>;
  /** What the snapshot before consisted of and this one does not. */
  readonly gone: readonly Digest[];
  /** The sum of those lengths. */
  readonly bytesTotal: number;
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
