import { snapshotKeys } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FollowRig } from './testing/follow-rig.js';
import { refuses, rigForEach, serves } from './testing/rig-for-each.js';

let rig: FollowRig;
rigForEach((opened) => {
  rig = opened;
});

describe('messages and looks', () => {
  test('a message is applied without waiting for a look', async () => {
    await rig.publish(1);
    const follower = rig.follow();
    await follower.firstLook;
    await rig.publish(2);
    await serves(follower, 2);
    expect(follower.status()).toMatchObject({ revision: 2, source: 'message', refused: null });
    expect(follower.current()?.changed.subjectIds.size).toBe(1);
    expect(follower.current()?.changed.serverIds.size).toBe(0);
  });

  test('a node that starts before its connection stands reads from Redis all the same, and asks nobody else', async () => {
    await rig.publish(1);
    const controlPlane = rig.controlPlane(() => 1);
    const redis = rig.redis.duplicate({ enableOfflineQueue: false });
    try {
      const follower = rig.follow({ redis, controlPlane });
      await follower.firstLook;
      expect(follower.status()).toMatchObject({ revision: 1, source: 'redis' });
      expect(controlPlane.asked).toEqual([]);
      await follower.close();
    } finally {
      redis.disconnect();
    }
  });

  test('a lost message is healed by the next look', async () => {
    const follower = rig.follow({ pollMs: 30 });
    await rig.publish(1);
    await serves(follower, 1);
    await rig.putChunks(2);
    await rig.redis.set(snapshotKeys.head, JSON.stringify(rig.head(2)));
    await serves(follower, 2);
    expect(follower.status().source).toBe('redis');
  });

  test('a cut subscription heals by itself, and what was published meanwhile is found', async () => {
    const follower = rig.follow();
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    await rig.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await rig.putChunks(2);
    await rig.redis.set(snapshotKeys.head, JSON.stringify(rig.head(2)));
    await serves(follower, 2);
    await rig.publish(3);
    await serves(follower, 3);
    expect(rig.refusals).toEqual([]);
  });

  test('repeated, reordered and replayed heads never go back', async () => {
    const follower = rig.follow();
    await follower.firstLook;
    const heads = [];
    for (const revision of [1, 2, 3, 4, 5]) heads.push(await rig.publish(revision));
    await serves(follower, 5);
    for (const head of [...heads.toReversed(), ...heads, rig.head(3)]) {
      follower.offerHead(head);
      await rig.redis.publish(snapshotKeys.channel, JSON.stringify(head));
    }
    await refuses(rig, 'rollback');
    await rig.publish(6);
    await serves(follower, 6);
    expect(rig.applied).toEqual(rig.applied.toSorted((a, b) => a - b));
  });

  test('a higher epoch is followed to a lower revision, and there is no way back', async () => {
    const follower = rig.follow();
    await follower.firstLook;
    await rig.publish(7);
    await serves(follower, 7);
    await rig.publish(3, { epoch: 2 });
    await serves(follower, 3);
    await rig.publish(8);
    await refuses(rig, 'rollback');
    expect(follower.current()).toMatchObject({ epoch: 2, revision: 3 });
  });

  test('a storm of changes is applied in few steps and ends at the newest', async () => {
    const follower = rig.follow();
    await follower.firstLook;
    for (let revision = 1; revision <= 60; revision += 1) await rig.putChunks(revision);
    for (let revision = 1; revision <= 60; revision += 1) await rig.store.publishHead(rig.head(revision));
    await serves(follower, 60);
    expect(follower.status().appliedCount).toBeLessThan(60);
  });

  test('any changes, with any of their messages lost, end at the newest', async () => {
    const changes = fc.array(fc.record({ told: fc.boolean(), kept: fc.boolean() }), { minLength: 1, maxLength: 8 });
    let revision = 0;
    const follower = rig.follow({ pollMs: 30 });
    await fc.assert(
      fc.asyncProperty(changes, async (each) => {
        for (const [at, { told, kept }] of each.entries()) {
          revision += 1;
          await rig.putChunks(revision);
          const text = JSON.stringify(rig.head(revision));
          // At least the last change reaches the key that is looked at: that is what a look can rely on.
          if (kept || at === each.length - 1) await rig.redis.set(snapshotKeys.head, text);
          if (told) await rig.redis.publish(snapshotKeys.channel, text);
        }
        await serves(follower, revision);
      }),
      { numRuns: 15 },
    );
    expect(rig.applied).toEqual(rig.applied.toSorted((a, b) => a - b));
  });
});

describe('the age of policy', () => {
  test('grows with the monotonic clock, and only a head issued later resets it', async () => {
    let [monotonic, wall] = [0, Date.now()];
    const follower = rig.follow({ clock: { now: () => wall, monotonic: () => monotonic } });
    expect(follower.ageMs()).toBe(Infinity);
    await follower.firstLook;
    const first = await rig.publish(1);
    await serves(follower, 1);
    [monotonic, wall] = [40_000, wall + 40_000];
    expect(follower.ageMs()).toBeGreaterThanOrEqual(40_000);
    follower.offerHead(first);
    expect(follower.ageMs()).toBeGreaterThanOrEqual(40_000);
    follower.offerHead(rig.head(1));
    expect(follower.ageMs()).toBe(0);
    wall -= 3_600_000; // somebody sets the clock of this machine
    monotonic += 1_000;
    expect(follower.ageMs()).toBe(1_000);
  });

  test('a head that lay in Redis for an hour is an hour old', async () => {
    await rig.publish(1);
    const follower = rig.follow({ clock: { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() } });
    await serves(follower, 1);
    expect(follower.ageMs()).toBeGreaterThanOrEqual(3_600_000);
  });

  test('a head whose snapshot cannot be had does not make the old one younger', async () => {
    let monotonic = 0;
    const follower = rig.follow({ clock: { now: Date.now, monotonic: () => monotonic } });
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    monotonic = 9_000;
    await rig.store.publishHead(rig.head(2));
    await refuses(rig, 'chunk_missing');
    expect(follower.ageMs()).toBeGreaterThanOrEqual(9_000);
  });
});
