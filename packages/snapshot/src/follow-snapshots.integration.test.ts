import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshotKeys, type Digest, type SignedHead, type SnapshotHead } from '@portcullis/contracts/snapshot';
import { freshRedis } from '@portcullis/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeContent } from './content.js';
import { fakeAgent, fakeGrant, FakePublisher, fakeServer, type FakePolicy } from './fake-publisher.js';
import { followSnapshots } from './follow-snapshots.js';
import type { Follower, FollowOptions, SnapshotSource } from './follower.js';
import { createSnapshotStore, type SnapshotStore } from './snapshot-store.js';

const NEVER = 3_600_000;
const soon = { timeout: 20_000, interval: 5 };

let service: Awaited<ReturnType<typeof freshRedis>>;
let [redis, subscriber]: Redis[] = [];
let store: SnapshotStore;
let publisher: FakePublisher;
let directory: string;
let followers: Follower[];
let [refusals, applied]: [string[], number[]] = [[], []];

const connect = async (): Promise<Redis> => {
  const client = new Redis(service.url, { lazyConnect: true, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

beforeAll(async () => {
  service = await freshRedis();
});
afterAll(async () => service.stop());

beforeEach(async () => {
  [redis, subscriber] = [await connect(), await connect()];
  await redis.flushall();
  store = createSnapshotStore(redis);
  publisher = new FakePublisher();
  directory = await mkdtemp(join(tmpdir(), 'portcullis-copy-'));
  [followers, refusals, applied] = [[], [], []];
});

afterEach(async () => {
  await Promise.all(followers.map((each) => each.close()));
  redis?.disconnect();
  subscriber?.disconnect();
  await rm(directory, { recursive: true, force: true });
});

function follow(over: Partial<FollowOptions> = {}): Follower {
  const follower = followSnapshots({
    redis: redis as Redis,
    subscriber: subscriber as Redis,
    controlPlane: undefined,
    verify: publisher.verify,
    directory,
    clock: { now: Date.now, monotonic: () => performance.now() },
    onApplied: ({ revision }) => applied.push(revision),
    onRefused: (reason) => refusals.push(reason),
    pollMs: NEVER,
    ...over,
  });
  followers.push(follower);
  return follower;
}

let issued = 0;
/** Later than every head before, as a publisher's heads are. */
const nextIssue = (): number => (issued = Math.max(issued + 1, Date.now()));
const policyOf = (revision: number): FakePolicy => ({
  servers: [fakeServer(1)],
  agents: [fakeAgent(1)],
  grants: [fakeGrant(1, 1, { names: [`tool_${revision}`] })],
});
const headOf = (revision: number, over: Partial<SnapshotHead> = {}): SignedHead =>
  publisher.head({ revision, rootDigest: publisher.compile(policyOf(revision), revision).rootDigest, issuedAt: nextIssue(), ...over });
const putChunks = (revision: number): Promise<void> => store.putChunks(publisher.compile(policyOf(revision), revision).chunks);
async function publish(revision: number, over: Partial<SnapshotHead> = {}): Promise<SignedHead> {
  await putChunks(revision);
  const head = headOf(revision, over);
  await store.publishHead(head);
  return head;
}
const serves = (follower: Follower, revision: number) => vi.waitFor(() => expect(follower.current()?.revision).toBe(revision), soon);
const refuses = (reason: string) => vi.waitFor(() => expect(refusals).toContain(reason), soon);

/** A control plane that has every revision up to the newest. */
function controlPlane(newest: () => number): SnapshotSource & { readonly asked: Digest[] } {
  const asked: Digest[] = [];
  return {
    asked,
    fetchHead: async () => headOf(newest()),
    fetchChunk: async (digest) => {
      asked.push(digest);
      return publisher.compile(policyOf(newest()), newest()).chunks.get(digest) ?? null;
    },
  };
}

describe('messages and looks', () => {
  test('a message is applied without waiting for a look', async () => {
    await publish(1);
    const follower = follow();
    await follower.firstLook;
    await publish(2);
    await serves(follower, 2);
    expect(follower.status()).toMatchObject({ revision: 2, source: 'message', refused: null });
    expect(follower.current()?.changed.subjectIds.size).toBe(1);
    expect(follower.current()?.changed.serverIds.size).toBe(0);
  });

  test('a lost message is healed by the next look', async () => {
    const follower = follow({ pollMs: 30 });
    await publish(1);
    await serves(follower, 1);
    await putChunks(2);
    await redis?.set(snapshotKeys.head, JSON.stringify(headOf(2)));
    await serves(follower, 2);
    expect(follower.status().source).toBe('redis');
  });

  test('a cut subscription heals by itself, and what was published meanwhile is found', async () => {
    const follower = follow();
    await follower.firstLook;
    await publish(1);
    await serves(follower, 1);
    await redis?.client('KILL', 'TYPE', 'pubsub');
    await putChunks(2);
    await redis?.set(snapshotKeys.head, JSON.stringify(headOf(2)));
    await serves(follower, 2);
    await publish(3);
    await serves(follower, 3);
    expect(refusals).toEqual([]);
  });

  test('repeated, reordered and replayed heads never go back', async () => {
    const follower = follow();
    await follower.firstLook;
    const heads = [];
    for (const revision of [1, 2, 3, 4, 5]) heads.push(await publish(revision));
    await serves(follower, 5);
    for (const head of [...heads.toReversed(), ...heads, headOf(3)]) {
      follower.offerHead(head);
      await redis?.publish(snapshotKeys.channel, JSON.stringify(head));
    }
    await refuses('rollback');
    await publish(6);
    await serves(follower, 6);
    expect(applied).toEqual(applied.toSorted((a, b) => a - b));
  });

  test('a higher epoch is followed to a lower revision, and there is no way back', async () => {
    const follower = follow();
    await follower.firstLook;
    await publish(7);
    await serves(follower, 7);
    await publish(3, { epoch: 2 });
    await serves(follower, 3);
    await publish(8);
    await refuses('rollback');
    expect(follower.current()).toMatchObject({ epoch: 2, revision: 3 });
  });

  test('a storm of changes is applied in few steps and ends at the newest', async () => {
    const follower = follow();
    await follower.firstLook;
    for (let revision = 1; revision <= 60; revision += 1) await putChunks(revision);
    for (let revision = 1; revision <= 60; revision += 1) await store.publishHead(headOf(revision));
    await serves(follower, 60);
    expect(follower.status().appliedCount).toBeLessThan(60);
  });

  test('any changes, with any of their messages lost, end at the newest', async () => {
    const changes = fc.array(fc.record({ told: fc.boolean(), kept: fc.boolean() }), { minLength: 1, maxLength: 8 });
    let revision = 0;
    const follower = follow({ pollMs: 30 });
    await fc.assert(
      fc.asyncProperty(changes, async (each) => {
        for (const [at, { told, kept }] of each.entries()) {
          revision += 1;
          await putChunks(revision);
          const text = JSON.stringify(headOf(revision));
          // At least the last change reaches the key that is looked at: that is what a look can rely on.
          if (kept || at === each.length - 1) await redis?.set(snapshotKeys.head, text);
          if (told) await redis?.publish(snapshotKeys.channel, text);
        }
        await serves(follower, revision);
      }),
      { numRuns: 15 },
    );
    expect(applied).toEqual(applied.toSorted((a, b) => a - b));
  });
});

describe('the age of policy', () => {
  test('grows with the monotonic clock, and only a head issued later resets it', async () => {
    let [monotonic, wall] = [0, Date.now()];
    const follower = follow({ clock: { now: () => wall, monotonic: () => monotonic } });
    expect(follower.ageMs()).toBe(Infinity);
    await follower.firstLook;
    const first = await publish(1);
    await serves(follower, 1);
    [monotonic, wall] = [40_000, wall + 40_000];
    expect(follower.ageMs()).toBeGreaterThanOrEqual(40_000);
    follower.offerHead(first);
    expect(follower.ageMs()).toBeGreaterThanOrEqual(40_000);
    follower.offerHead(headOf(1));
    expect(follower.ageMs()).toBe(0);
    wall -= 3_600_000; // somebody sets the clock of this machine
    monotonic += 1_000;
    expect(follower.ageMs()).toBe(1_000);
  });

  test('a head that lay in Redis for an hour is an hour old', async () => {
    await publish(1);
    const follower = follow({ clock: { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() } });
    await serves(follower, 1);
    expect(follower.ageMs()).toBeGreaterThanOrEqual(3_600_000);
  });

  test('a head whose snapshot cannot be had does not make the old one younger', async () => {
    let monotonic = 0;
    const follower = follow({ clock: { now: Date.now, monotonic: () => monotonic } });
    await follower.firstLook;
    await publish(1);
    await serves(follower, 1);
    monotonic = 9_000;
    await store.publishHead(headOf(2));
    await refuses('chunk_missing');
    expect(follower.ageMs()).toBeGreaterThanOrEqual(9_000);
  });
});

describe('what must not be served', () => {
  /** A head, rightly signed, over revision 2, of which one content was spoilt. */
  async function spoil(which: 'root' | 'chunk', spoilt: (bytes: Buffer) => Buffer | string | undefined): Promise<SignedHead> {
    const { chunks, rootDigest } = publisher.compile(policyOf(2), 2);
    await store.putChunks(chunks);
    const digest = which === 'root' ? rootDigest : [...chunks].find(([, bytes]) => Buffer.from(bytes).includes('tool_2'))?.[0];
    const bytes = spoilt(Buffer.from(chunks.get(digest ?? '') ?? []));
    if (bytes === undefined) await redis?.del(snapshotKeys.chunk(digest ?? ''));
    else await redis?.set(snapshotKeys.chunk(digest ?? ''), bytes);
    return headOf(2);
  }
  const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)));
  const rootOf = async (content: object): Promise<SignedHead> => {
    const { digest, bytes } = encodeContent(content);
    await store.putChunks(new Map([[digest, bytes]]));
    return headOf(2, { rootDigest: digest });
  };

  test.each([
    ['digest_mismatch', 'a flipped bit in a chunk', () => spoil('chunk', flipped)],
    ['digest_mismatch', 'a flipped bit in the root', () => spoil('root', flipped)],
    ['digest_mismatch', 'a truncated chunk', () => spoil('chunk', (bytes) => bytes.subarray(0, 30))],
    ['chunk_missing', 'a chunk that is gone', () => spoil('chunk', () => undefined)],
    ['chunk_too_large', 'a chunk of 20 MiB', () => spoil('chunk', () => 'x'.repeat(20 * 1024 * 1024))],
    ['chunk_malformed', 'a root of the wrong shape', () => rootOf({ schema: 1, revision: 2 })],
    ['chunk_misplaced', 'the root of another revision', async () => headOf(2, { rootDigest: publisher.compile(policyOf(1), 1).rootDigest })],
    ['schema_newer', 'a newer schema', async () => headOf(2, { schema: 2 })],
    ['expired', 'a head past its end', async () => headOf(2, { notAfter: Date.now() - NEVER })],
    ['issued_in_future', 'a head from the future', async () => headOf(2, { issuedAt: Date.now() + NEVER })],
    ['rollback', 'an older revision in a new head', async () => headOf(0)],
    ['rollback', 'an older epoch', async () => headOf(2, { epoch: 0 })],
    ['signature_invalid', 'another key under a known name', async () => new FakePublisher().head(JSON.parse(headOf(2).body) as SnapshotHead)],
    ['signature_invalid', 'a body that was altered', async () => ({ ...headOf(2), body: headOf(3).body })],
    [
      'key_unknown',
      'a key of somebody else',
      async () => new FakePublisher('evil').head({ ...(JSON.parse(headOf(2).body) as SnapshotHead), keyId: 'evil' }),
    ],
    ['head_malformed', 'no head', async () => ({ body: '{}', signature: '' })],
    ['head_malformed', 'a head of 1 MiB', async () => ({ body: 'x'.repeat(1024 * 1024), signature: '' })],
  ] as const)('%s: %s is refused, and the good snapshot goes on until the next', async (reason, _what, spoilt) => {
    const follower = follow();
    await follower.firstLook;
    await publish(1);
    await serves(follower, 1);
    await store.publishHead(await spoilt());
    await refuses(reason);
    expect(follower.current()?.revision).toBe(1);
    expect(follower.status()).toMatchObject({ refused: { reason }, refusedCounts: { [reason]: 1 } });
    expect(refusals).toEqual([reason]);
    await publish(4);
    await serves(follower, 4);
    expect(follower.status().refused).toBeNull();
  });

  test('text that is no head, and keys of another type, do no harm', async () => {
    const follower = follow({ pollMs: 30 });
    await publish(1);
    await serves(follower, 1);
    await redis?.del(snapshotKeys.head);
    await redis?.lpush(snapshotKeys.head, 'x');
    for (const text of ['', '{', 'null', '[]', '"x"', '{"body":1}']) await redis?.publish(snapshotKeys.channel, text);
    await refuses('head_malformed');
    await redis?.del(snapshotKeys.head);
    await publish(2);
    await serves(follower, 2);
  });
});

describe('without Redis', () => {
  test('a flushed Redis is healed from the control plane, chunk by chunk', async () => {
    let newest = 1;
    const source = controlPlane(() => newest);
    const follower = follow({ controlPlane: source, pollMs: 30 });
    await publish(1);
    await serves(follower, 1);
    await redis?.flushall();
    newest = 2;
    await redis?.publish(snapshotKeys.channel, JSON.stringify(headOf(2)));
    await serves(follower, 2);
    expect(source.asked).toHaveLength(3); // root, one index, one bucket: the rest is known
  });

  test('with Redis silent, heads come from the control plane and the age stays low', async () => {
    let newest = 1;
    const follower = follow({ controlPlane: controlPlane(() => newest), pollMs: 30 });
    await serves(follower, 1);
    newest = 2;
    await serves(follower, 2);
    expect(follower.status().source).toBe('control-plane');
    expect(follower.ageMs()).toBeLessThan(5_000);
  });

  test('a control plane that gives wrong bytes, fails or hangs changes nothing', async () => {
    await publish(1);
    const bad: SnapshotSource = { fetchHead: async () => headOf(2), fetchChunk: async () => Buffer.from('wrong') };
    const failing: SnapshotSource = { fetchHead: () => Promise.reject(new Error('away')), fetchChunk: () => Promise.reject(new Error('away')) };
    const follower = follow({ controlPlane: bad, pollMs: 30 });
    await serves(follower, 1);
    await redis?.flushall();
    await refuses('digest_mismatch');
    expect(follower.current()?.revision).toBe(1);
    const other = follow({ controlPlane: failing, directory: join(directory, 'other') });
    await other.firstLook;
    expect(other.current()).toBeUndefined();
  });
});

describe('the last good copy', () => {
  /** A connection nobody answers on, as when Redis is gone. */
  const gone = () => new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true, retryStrategy: () => null }).on('error', () => undefined);
  const withoutRedis = () => ({ redis: gone(), subscriber: gone() });
  async function kept(...revisions: number[]): Promise<void> {
    const follower = follow();
    await follower.firstLook;
    for (const revision of revisions) {
      await publish(revision);
      await serves(follower, revision);
    }
    await follower.close();
    expect(follower.status().persisted).toBe(true);
    applied = [];
  }

  test('a node that starts with Redis and control plane gone serves it, and says how old it is', async () => {
    await kept(1, 2);
    const clock = { now: () => Date.now() + 60_000, monotonic: () => performance.now() };
    const follower = follow({ ...withoutRedis(), clock });
    await serves(follower, 2);
    expect(follower.status()).toMatchObject({ source: 'disk', refused: null });
    expect(follower.ageMs()).toBeGreaterThanOrEqual(60_000);
    expect(follower.current()?.changed.agentIds.size).toBe(1);
  });

  test('contents that nothing needs are removed', async () => {
    await kept(1, 2, 3);
    expect(await readdir(join(directory, 'chunks'))).toHaveLength(publisher.compile(policyOf(3), 3).chunks.size);
  });

  test('whatever is older than it is refused, though Redis has it', async () => {
    await kept(5);
    await publish(4);
    const follower = follow();
    await serves(follower, 5);
    expect(refusals).toEqual(['rollback']);
    expect(applied).toEqual([5]);
  });

  test('when it cannot be read, a node still starts from Redis, and not from anything older', async () => {
    await kept(5);
    for (const name of await readdir(join(directory, 'chunks'))) await writeFile(join(directory, 'chunks', name), 'spoilt');
    const alone = follow(withoutRedis());
    await alone.firstLook;
    expect(alone.current()).toBeUndefined();
    expect(refusals).toEqual(['digest_mismatch']);
    await publish(4);
    const follower = follow();
    await follower.firstLook;
    expect(follower.current()).toBeUndefined();
    await publish(5);
    await serves(follower, 5);
  });

  test('signed by a key that is no longer valid, it is not served', async () => {
    await kept(1);
    const follower = follow({ ...withoutRedis(), verify: new FakePublisher('key-2').verify });
    await follower.firstLook;
    expect(follower.current()).toBeUndefined();
    expect(refusals).toEqual(['key_unknown']);
  });

  test('a disk that cannot be written takes nothing from serving', async () => {
    await writeFile(join(directory, 'file'), '');
    const follower = follow({ directory: join(directory, 'file', 'below') });
    await follower.firstLook;
    await publish(1);
    await serves(follower, 1);
    await follower.close();
    expect(follower.status().persisted).toBe(false);
  });
});
