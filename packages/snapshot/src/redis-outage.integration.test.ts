import { snapshotKeys } from '@portcullis/contracts/snapshot';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FollowRig } from './testing/follow-rig.js';
import type { SnapshotSource } from './follower.js';
import { refuses, rigForEach, serves } from './testing/rig-for-each.js';

let rig: FollowRig;
rigForEach((opened) => {
  rig = opened;
});

describe('without Redis', () => {
  test('a flushed Redis is healed from the control plane, chunk by chunk', async () => {
    let newest = 1;
    const source = rig.controlPlane(() => newest);
    await rig.publish(1);
    const follower = rig.follow({ controlPlane: source, pollMs: 30 });
    await serves(follower, 1);
    await rig.redis.flushall();
    newest = 2;
    await rig.redis.publish(snapshotKeys.channel, JSON.stringify(rig.head(2)));
    await serves(follower, 2);
    expect(source.asked).toHaveLength(3); // root, one index, one bucket: the rest is known
  });

  test('with Redis silent, heads come from the control plane and the age stays low', async () => {
    let newest = 1;
    const follower = rig.follow({ controlPlane: rig.controlPlane(() => newest), pollMs: 30 });
    await serves(follower, 1);
    newest = 2;
    await serves(follower, 2);
    expect(follower.status().source).toBe('control-plane');
    expect(follower.ageMs()).toBeLessThan(5_000);
  });

  test('a control plane that gives wrong bytes, or fails, changes nothing', async () => {
    await rig.publish(1);
    const bad: SnapshotSource = { fetchHead: async () => rig.head(2), fetchChunk: async () => Buffer.from('wrong') };
    const failing: SnapshotSource = { fetchHead: () => Promise.reject(new Error('away')), fetchChunk: () => Promise.reject(new Error('away')) };
    const follower = rig.follow({ controlPlane: bad, pollMs: 30 });
    await serves(follower, 1);
    await rig.redis.flushall();
    await refuses(rig, 'digest_mismatch');
    expect(follower.current()?.revision).toBe(1);
    const other = rig.follow({ controlPlane: failing, directory: join(rig.directory, 'other') });
    await other.firstLook;
    expect(other.current()).toBeUndefined();
  });

  test('a Redis that hangs without closing is gone round, and followed again when it is back', async () => {
    let newest = 1;
    const follower = rig.follow({ controlPlane: rig.controlPlane(() => newest), pollMs: 100 });
    await rig.publish(1);
    await serves(follower, 1);
    process.kill(rig.redisPid, 'SIGSTOP');
    try {
      newest = 2;
      await serves(follower, 2);
      expect(follower.status().source).toBe('control-plane');
    } finally {
      process.kill(rig.redisPid, 'SIGCONT');
    }
    await rig.publish(3);
    await serves(follower, 3);
    expect(rig.applied).toEqual([1, 2, 3]);
  });
});
