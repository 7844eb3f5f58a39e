import type { Redis } from 'ioredis';
import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { PolicySnapshot } from './policy-snapshot.js';
import type { VerifyBody } from './signed-head.js';
import type { RefusalReason } from './snapshot-refusal.js';

/** The control plane over HTTP, for when Redis does not do. Null: it has none. Either may fail; each is given up after 5 s. */
export interface SnapshotSource {
  fetchHead(signal: AbortSignal): Promise<SignedHead | null>;
  fetchChunk(digest: Digest, signal: AbortSignal): Promise<Uint8Array | null>;
}

export interface FollowOptions {
  /** For commands. Its owner connects and ends it. */
  readonly redis: Redis;
  /** A connection of its own for the subscription. Its owner ends it. */
  readonly subscriber: Redis;
  readonly controlPlane: SnapshotSource | undefined;
  readonly verify: VerifyBody;
  /** Where the last good copy is kept. Belongs to one follower. */
  readonly directory: string;
  /** `now`: wall clock, epoch milliseconds. `monotonic`: milliseconds that never go back. */
  readonly clock: { now(): number; monotonic(): number };
  /** Called after the new snapshot is current. Must not throw. */
  readonly onApplied: (snapshot: PolicySnapshot) => void;
  /** Called when a refusal differs from the last one. `revision` is null when the head itself could not be trusted. Must not throw. */
  readonly onRefused: (reason: RefusalReason, revision: number | null) => void;
  /** How often Redis is looked at, ± 10 %. Default 2000. */
  readonly pollMs?: number;
}

export interface FollowerStatus {
  /** Of the snapshot that is served; all null before the first. */
  readonly epoch: number | null;
  readonly revision: number | null;
  /** Issue time of the newest head that confirmed it, epoch milliseconds. */
  readonly issuedAt: number | null;
  /** The last refusal, null again once a head was taken after it. */
  readonly refused: { readonly reason: RefusalReason; readonly revision: number | null } | null;
  readonly refusedCounts: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly appliedCount: number;
  /** Spent since the start from the head to the snapshot being served, fetching included. */
  readonly applyingMs: number;
  /** Contents fetched since the start, and the heads that named them. */
  readonly fetchedBytes: number;
  /** Where the snapshot that is served came from, or what confirmed it last. */
  readonly source: HeadSource | null;
  /** Whether the last good copy on disk is as new as what is served. False with a disk that fails. */
  readonly persisted: boolean;
}

export type HeadSource = 'message' | 'redis' | 'control-plane' | 'offered' | 'disk';

export interface Follower {
  /** The snapshot to serve from; undefined before the first. Read it once per request. */
  current(): PolicySnapshot | undefined;
  /** Monotonic time since a newer head last confirmed the snapshot that is served; Infinity before the first. */
  ageMs(): number;
  status(): FollowerStatus;
  /** The newest head that confirmed what is served, as it was signed: proof of this policy to others. */
  signedHead(): SignedHead | undefined;
  /** Takes a head that came by another way, such as the answer to a status report. */
  offerHead(signed: SignedHead): void;
  /** Settles when Redis, then the control plane, then the disk were asked once. Never rejects. */
  readonly firstLook: Promise<void>;
  /** Stops following and writes the last good copy. Leaves the connections open. */
  close(): Promise<void>;
}
