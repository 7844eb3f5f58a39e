import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest, SignedHead, SnapshotHead } from '@portcullis/contracts/snapshot';
import { Redis } from 'ioredis';
import { fakeAgent, fakeGrant, FakePublisher, fakeServer, type FakePolicy } from './fake-publisher.js';
import { followSnapshots } from '../follow-snapshots.js';
import type { Follower, FollowOptions, SnapshotSource } from '../follower.js';
import { createSnapshotStore, type SnapshotStore } from '../snapshot-store.js';

/** Longer than any test: what happens, happens without a look. */
export const NEVER_MS = 3_600_000;

/** A Redis process of the tests' own. */
interface Service {
  readonly url: string;
  readonly pid: number;
}

/** For tests: one publisher and any number of followers around one Redis. Revision n has one server, one agent and a grant on `tool_n`. */
export class FollowRig {
  readonly publisher = new FakePublisher();
  readonly refusals: string[] = [];
  readonly applied: number[] = [];
  readonly store: SnapshotStore;
  readonly redisPid: number;
  readonly #followers: Follower[] = [];
  readonly #clients: readonly Redis[];
  #issued = 0;

  private constructor(
    readonly redis: Redis,
    readonly subscriber: Redis,
    readonly directory: string,
    service: Service,
  ) {
    this.redisPid = service.pid;
    const writer = new Redis(service.url).on('error', () => undefined);
    this.store = createSnapshotStore(writer);
    this.#clients = [redis, subscriber, writer];
  }

  static async open(service: Service): Promise<FollowRig> {
    const connect = () => new Redis(service.url, { retryStrategy: () => 20 }).on('error', () => undefined);
    const [redis, subscriber] = [connect(), connect()];
    await redis.flushall();
    return new FollowRig(redis, subscriber, await mkdtemp(join(tmpdir(), 'portcullis-copy-')), service);
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((each) => each.close()));
    for (const client of this.#clients) client.disconnect();
    await rm(this.directory, { recursive: true, force: true });
  }

  follow(over: Partial<FollowOptions> = {}): Follower {
    const follower = followSnapshots({
      redis: this.redis,
      subscriber: this.subscriber,
      controlPlane: undefined,
      verify: this.publisher.verify,
      directory: this.directory,
      clock: { now: Date.now, monotonic: () => performance.now() },
      onApplied: ({ revision }) => this.applied.push(revision),
      onRefused: (reason) => this.refusals.push(reason),
      pollMs: NEVER_MS,
      ...over,
    });
    this.#followers.push(follower);
    return follower;
  }

  compile(revision: number) {
    const grants = [fakeGrant(1, 1, { names: [`tool_${revision}`] })];
    const policy: FakePolicy = { servers: [fakeServer(1)], agents: [fakeAgent(1)], grants };
    return this.publisher.compile(policy, revision);
  }

  /** Issued later than every head before, as a publisher's heads are. */
  head(revision: number, over: Partial<SnapshotHead> = {}): SignedHead {
    this.#issued = Math.max(this.#issued + 1, Date.now());
    return this.publisher.head({ revision, rootDigest: this.compile(revision).rootDigest, issuedAt: this.#issued, ...over });
  }

  async putChunks(revision: number): Promise<void> {
    await this.store.putChunks(this.compile(revision).chunks);
  }

  async publish(revision: number, over: Partial<SnapshotHead> = {}): Promise<SignedHead> {
    await this.putChunks(revision);
    const head = this.head(revision, over);
    await this.store.publishHead(head);
    return head;
  }

  /** A control plane that has the newest revision, and knows what it was asked for. */
  controlPlane(newest: () => number): SnapshotSource & { readonly asked: readonly Digest[] } {
    const asked: Digest[] = [];
    return {
      asked,
      fetchHead: async () => this.head(newest()),
      fetchChunk: async (digest) => {
        asked.push(digest);
        return this.compile(newest()).chunks.get(digest) ?? null;
      },
    };
  }
}
