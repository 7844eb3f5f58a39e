import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Redis } from 'ioredis';
import { FakePublisher } from './testing/fake-publisher.js';
import { FollowRig } from './testing/follow-rig.js';
import { rigForEach, serves } from './testing/rig-for-each.js';

let rig: FollowRig;
rigForEach((opened) => {
  rig = opened;
});

describe('the last good copy', () => {
  /** A connection nobody answers on, as when Redis is gone. */
  const gone = () => new Redis({ host: '127.0.0.1', port: 1, lazyConnect: true, retryStrategy: () => null }).on('error', () => undefined);
  const withoutRedis = () => ({ redis: gone(), subscriber: gone() });
  async function kept(...revisions: number[]): Promise<void> {
    const follower = rig.follow();
    await follower.firstLook;
    for (const revision of revisions) {
      await rig.publish(revision);
      await serves(follower, revision);
    }
    await follower.close();
    expect(follower.status().persisted).toBe(true);
    rig.applied.length = 0;
  }

  test('a node that starts with Redis and control plane gone serves it, and says how old it is', async () => {
    await kept(1, 2);
    const clock = { now: () => Date.now() + 60_000, monotonic: () => performance.now() };
    const follower = rig.follow({ ...withoutRedis(), clock });
    await serves(follower, 2);
    expect(follower.status()).toMatchObject({ source: 'disk', refused: null });
    expect(follower.ageMs()).toBeGreaterThanOrEqual(60_000);
    expect(follower.current()?.changed.agentIds.size).toBe(1);
  });

  test('contents that nothing needs are removed', async () => {
    await kept(1, 2, 3);
    expect(await readdir(join(rig.directory, 'chunks'))).toHaveLength(rig.compile(3).chunks.size);
  });

  test('whatever is older than it is refused, though Redis has it', async () => {
    await kept(5);
    await rig.publish(4);
    const follower = rig.follow();
    await serves(follower, 5);
    expect(rig.refusals).toEqual(['rollback']);
    expect(rig.applied).toEqual([5]);
  });

  test('when it cannot be read, a node still starts from Redis, and not from anything older', async () => {
    await kept(5);
    for (const name of await readdir(join(rig.directory, 'chunks'))) await writeFile(join(rig.directory, 'chunks', name), 'spoilt');
    const alone = rig.follow(withoutRedis());
    await alone.firstLook;
    expect(alone.current()).toBeUndefined();
    expect(rig.refusals).toEqual(['digest_mismatch']);
    await rig.publish(4);
    const follower = rig.follow();
    await follower.firstLook;
    expect(follower.current()).toBeUndefined();
    await rig.publish(5);
    await serves(follower, 5);
  });

  test('signed by a key that is no longer valid, it is not served', async () => {
    await kept(1);
    const follower = rig.follow({ ...withoutRedis(), verify: new FakePublisher('key-2').verify });
    await follower.firstLook;
    expect(follower.current()).toBeUndefined();
    expect(rig.refusals).toEqual(['key_unknown']);
  });

  test('a disk that cannot be written takes nothing from serving', async () => {
    await writeFile(join(rig.directory, 'file'), '');
    const follower = rig.follow({ directory: join(rig.directory, 'file', 'below') });
    await follower.firstLook;
    await rig.publish(1);
    await serves(follower, 1);
    await follower.close();
    expect(follower.status().persisted).toBe(false);
  });

  test('a head that is offered while it is being read cannot be undone by it', async () => {
    await kept(1);
    await rig.putChunks(2);
    const follower = rig.follow();
    const offer = setInterval(() => follower.offerHead(rig.head(2)), 1);
    await serves(follower, 2);
    await follower.firstLook;
    clearInterval(offer);
    expect(follower.current()?.revision).toBe(2);
    expect(rig.applied).toEqual(rig.applied.toSorted((a, b) => a - b));
  });
});
