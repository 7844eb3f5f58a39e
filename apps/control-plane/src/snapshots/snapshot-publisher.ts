import type { SignedHead } from '@portcullis/contracts/snapshot';
import type { PrismaClient } from '@portcullis/database';
import type { SnapshotStore } from '@portcullis/snapshot';
import type { KeyRing } from '../keys/key-ring.js';
import { commitSnapshot, type CommittedSnapshot } from './commit-snapshot.js';
import { distributeSnapshot, refreshContents } from './distribute-snapshot.js';
import { openOwnHead } from './open-own-head.js';
import type { PublishedTree } from './published-tree.js';
import { isNewerVersion, noteSeenPolicy, PublishingHeld, type HoldReason, type PolicyVersion } from './publishing-held.js';
import { withPublisherLock } from './publisher-lock.js';
import { signSnapshot } from './sign-snapshot.js';
import { pruneSnapshots } from './stored-contents.js';
import { Wake } from '../background/wake.js';

/** What the publisher tells of its rounds. None of these may throw. */
export interface PublisherReport {
  published(snapshot: CommittedSnapshot, took: RoundTimes): void;
  /** Postgres or Redis failed; the next round tries again. */
  failed(stage: 'postgres' | 'redis', error: unknown): void;
  /** Publishing would be wrong; somebody has to act. */
  held(reason: HoldReason): void;
}

/** Where the time of a round went, in milliseconds. */
export interface RoundTimes {
  /** Since the news that called for it came: gathering, and the round before. 0 for a heartbeat. */
  readonly waiting: number;
  /** For the lock of all publishers. */
  readonly lock: number;
  /** Read, compiled and committed in Postgres. */
  readonly commit: number;
  /** Signed, and brought to Redis with its contents. */
  readonly distribute: number;
}

export interface PublisherParts {
  readonly database: PrismaClient;
  readonly store: SnapshotStore;
  readonly keys: KeyRing;
  readonly report: PublisherReport;
  readonly heartbeatMs?: number;
}

/** Rest after a round. A change that finds a rested publisher is published at once; those that come meanwhile share the next head. */
const GATHER_MS = 10;
const HEARTBEAT_MS = 1_000;
const UPKEEP_MS = 3_600_000;

/**
 * Publishes every change of policy, and the head again each second. Any number may run: rounds are serialized by a lock in Postgres, what is to
 * be published is found there, so a round that died in the middle is finished by the next one, anywhere.
 */
export class SnapshotPublisher {
  private readonly wake = new Wake();
  private readonly heartbeatMs: number;
  private loop: Promise<void> | undefined;
  private isStopping = false;
  private newest: SignedHead | undefined;
  /** What this process committed last, or found committed. */
  private committed: (PolicyVersion & PublishedTree) | undefined;
  /** The newest revision that somebody told of, and when. */
  private told: { readonly revision: number; readonly at: number } | undefined;
  private upkeepAt = 0;
  private held: HoldReason | undefined;

  constructor(private readonly parts: PublisherParts) {
    this.heartbeatMs = parts.heartbeatMs ?? HEARTBEAT_MS;
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Ends after the round that is under way. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.wake.ring();
    await this.loop;
  }

  /** This revision was committed: publish soon. Only a hint, the next heartbeat would find it too. */
  nudge(revision: number): void {
    if (revision <= Math.max(this.told?.revision ?? -1, this.committed?.revision ?? -1)) return;
    this.told = { revision, at: performance.now() };
    this.wake.ring();
  }

  /** The newest head this process has signed, also while Redis is away; undefined before the first. */
  head(): SignedHead | undefined {
    return this.newest;
  }

  /** Why this process publishes nothing, by its last round; undefined where nothing holds it. */
  heldBecause(): HoldReason | undefined {
    return this.held;
  }

  /** A node serves by this head and finds ours older. Notes a policy that this database has forgotten; a head that is not ours proves nothing. */
  async noteSeen(signed: SignedHead): Promise<void> {
    const head = openOwnHead(this.parts.keys, signed);
    if (head !== undefined) await noteSeenPolicy(this.parts.database, head);
  }

  /** One round: commits what changed, signs the head and distributes both. Throws when Postgres or Redis fails, or where publishing is held. */
  async publishOnce(): Promise<void> {
    const startedAt = performance.now();
    const waiting = this.told === undefined ? 0 : startedAt - this.told.at;
    this.told = undefined;
    await withPublisherLock(this.parts.database, async () => {
      const lockedAt = performance.now();
      const snapshot = await this.at('postgres', () => this.commit());
      const committedAt = performance.now();
      this.held = undefined;
      const head = signSnapshot(snapshot, this.parts.keys.signingKey());
      this.newest = head;
      await this.at('redis', () => distributeSnapshot(this.parts.database, this.parts.store, snapshot, head));
      const distribute = performance.now() - committedAt;
      this.parts.report.published(snapshot, { waiting, lock: lockedAt - startedAt, commit: committedAt - lockedAt, distribute });
      await this.upkeep(snapshot);
    });
  }

  private async commit(): Promise<CommittedSnapshot> {
    const { database } = this.parts;
    const seen = this.newestSeen();
    seen.catch(() => undefined); // whoever waits for it is told; without Postgres nobody does
    try {
      const snapshot = await commitSnapshot(database, { seen, tree: this.committed });
      const { epoch, revision, rootDigest, root, buckets } = snapshot;
      this.committed = { epoch, revision, rootDigest, root, buckets };
      return snapshot;
    } catch (error) {
      if (error instanceof PublishingHeld && error.seen !== undefined) await noteSeenPolicy(database, error.seen);
      throw error;
    }
  }

  /** What this process published, or what lies in Redis: a database that knows neither was restored from a backup. */
  private async newestSeen(): Promise<PolicyVersion | undefined> {
    const signed = await this.parts.store.readHead().catch(() => undefined); // the round says soon enough that Redis is away
    const head = signed && openOwnHead(this.parts.keys, signed);
    if (head === undefined || this.committed === undefined) return head ?? this.committed;
    return isNewerVersion(head, this.committed) ? head : this.committed;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      const startedAt = performance.now();
      // A failure is reported where it happens; the loop is what tries again.
      await this.publishOnce().catch((error: unknown) => this.reportOnce(error));
      const endedAt = performance.now();
      await this.wake.within(this.heartbeatMs - (endedAt - startedAt));
      if (!this.isStopping) await this.wake.rest(GATHER_MS - (performance.now() - endedAt));
    }
  }

  private async upkeep(snapshot: CommittedSnapshot): Promise<void> {
    if (Date.now() < this.upkeepAt) return;
    const referenced = await this.at('redis', () => refreshContents(this.parts.database, this.parts.store, snapshot));
    await this.at('postgres', () => pruneSnapshots(this.parts.database, referenced, snapshot.revision));
    this.upkeepAt = Date.now() + UPKEEP_MS;
  }

  private async at<T>(stage: 'postgres' | 'redis', work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PublishingHeld)) throw new RoundError(stage, error);
      this.held = error.reason;
      throw error;
    }
  }

  private reportOnce(error: unknown): void {
    if (error instanceof PublishingHeld) this.parts.report.held(error.reason);
    else if (error instanceof RoundError) this.parts.report.failed(error.stage, error.cause);
    else this.parts.report.failed('postgres', error);
  }
}

class RoundError extends Error {
  constructor(
    readonly stage: 'postgres' | 'redis',
    cause: unknown,
  ) {
    super(`A round of publishing failed at ${stage}`, { cause });
  }
}
