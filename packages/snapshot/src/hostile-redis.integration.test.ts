import { createServer, type AddressInfo, type Server } from 'node:net';
import { snapshotKeys } from '@portcullis/contracts/snapshot';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { FakePublisher } from './testing/fake-publisher.js';
import { FollowRig, NEVER_MS } from './testing/follow-rig.js';
import { rigForEach, serves, soon } from './testing/rig-for-each.js';

let rig: FollowRig;
rigForEach((opened) => {
  rig = opened;
});

describe('whoever can write to Redis', () => {
  test('10,000 messages are heard as a few, and the newest good head among them is followed', async () => {
    const follower = rig.follow();
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    const forged = new FakePublisher().head({ revision: 9, rootDigest: '0'.repeat(64), issuedAt: Date.now() });
    const flood = rig.redis.pipeline();
    for (let count = 0; count < 10_000; count += 1) flood.publish(snapshotKeys.channel, JSON.stringify({ ...forged, count }));
    await Promise.all([flood.exec(), rig.putChunks(2)]);
    await rig.publish(2);
    await serves(follower, 2);
    const looked = Object.values(follower.status().refusedCounts).reduce((sum, count) => sum + count, 0);
    expect(looked).toBeLessThan(2_000);
  });

  test('a message of 64 MiB costs the connection, not the policy', async () => {
    const follower = rig.follow({ pollMs: 50 });
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    await rig.redis.publish(snapshotKeys.channel, 'x'.repeat(64 * 1024 * 1024));
    await rig.publish(2);
    await serves(follower, 2);
    expect(rig.applied).toEqual([1, 2]);
  });
});

/** Something at a Redis address that answers every command like this. */
async function answering(answer: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write(answer)));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, server };
}

describe('a Redis that is not itself', () => {
  test.each([
    ['LOADING', '-LOADING Redis is loading the dataset in memory\r\n'],
    ['READONLY', "-READONLY You can't write against a read only replica.\r\n"],
    ['NOAUTH', '-NOAUTH Authentication required.\r\n'],
    ['garbage', '\u0000\u0001not RESP at all\r\n'],
    ['another type', '*1\r\n:1\r\n'],
  ])('that answers %s is gone round: policy comes from the control plane', async (_what, answer) => {
    const { port, server } = await answering(answer);
    const connect = () =>
      new Redis(port, '127.0.0.1', { retryStrategy: () => 50, commandTimeout: 500, maxRetriesPerRequest: 1 }).on('error', () => undefined);
    const [redis, subscriber] = [connect(), connect()];
    try {
      const follower = rig.follow({ redis, subscriber, controlPlane: rig.controlPlane(() => 3), pollMs: 50 });
      await serves(follower, 3);
      expect(follower.status()).toMatchObject({ source: 'control-plane', refusedCounts: {} });
      await follower.close();
    } finally {
      redis.disconnect();
      subscriber.disconnect();
      server.close();
    }
  });
});

describe('changes in the order they were made', () => {
  test('a follower that misses messages never shows a later change without an earlier one', async () => {
    // Revision n takes away what revision n - 1 granted and then brings a new tool: whoever saw the tool under the old grant would be the new enemy.
    const seen: string[] = [];
    const follower = rig.follow({
      pollMs: 20,
      onApplied: ({ grantsBySubject, revision }) => seen.push(`${revision} ${[...grantsBySubject.values()].flat()[0]?.names[0]}`),
    });
    await follower.firstLook;
    for (let revision = 1; revision <= 40; revision += 1) {
      await rig.putChunks(revision);
      const text = JSON.stringify(rig.head(revision));
      if (revision % 3 === 0) await rig.redis.set(snapshotKeys.head, text);
      if (revision % 2 === 0) await rig.redis.publish(snapshotKeys.channel, text);
    }
    await rig.publish(41);
    await serves(follower, 41);
    for (const each of seen) expect(each).toMatch(/^(\d+) tool_\1$/);
  });
});

describe('signing keys that change', () => {
  test('both generations are followed, and the older no more once it is gone from the ring', async () => {
    const newer = new FakePublisher('key-2');
    const ring = [rig.publisher.verify, newer.verify];
    const verify: FakePublisher['verify'] = (keyId, body, signature) => {
      for (const one of ring) {
        const verified = one(keyId, body, signature);
        if (verified !== undefined) return verified;
      }
      return undefined;
    };
    const follower = rig.follow({ verify, pollMs: NEVER_MS });
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    const by = async (publisher: FakePublisher, revision: number) => {
      await rig.putChunks(revision);
      await rig.store.publishHead(publisher.head({ revision, rootDigest: rig.compile(revision).rootDigest, issuedAt: Date.now() + revision }));
    };
    await by(newer, 2);
    await serves(follower, 2);
    await by(rig.publisher, 3);
    await serves(follower, 3);
    ring.shift();
    await by(rig.publisher, 4);
    await vi.waitFor(() => expect(rig.refusals).toEqual(['key_unknown']), soon);
    await by(newer, 5);
    await serves(follower, 5);
  });
});

describe('a node cut from Redis and from the control plane', () => {
  test('grows older than any bound, and is young again with the first head after the cut', async () => {
    let monotonic = 0;
    const follower = rig.follow({ clock: { now: Date.now, monotonic: () => monotonic } });
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    monotonic = 90_000_000;
    expect(follower.ageMs()).toBeGreaterThan(86_400_000);
    expect(follower.current()?.revision).toBe(1); // what is refused for its age is said at the call: this is kept
    await rig.publish(1);
    await vi.waitFor(() => expect(follower.ageMs()).toBeLessThan(1_000), soon);
  });
});
