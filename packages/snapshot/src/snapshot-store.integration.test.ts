import { snapshotKeys } from '@portcullis/contracts/snapshot';
import { freshRedis } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from './content.js';
import { FollowRig } from './testing/follow-rig.js';

let service: Awaited<ReturnType<typeof freshRedis>>;
let rig: FollowRig;
beforeAll(async () => {
  service = await freshRedis();
  rig = await FollowRig.open(service);
});
afterAll(async () => {
  await rig.close();
  await service.stop();
});

test('chunks are written once, live for a day from their last use, and missing ones are named', async () => {
  const texts = Array.from({ length: 600 }, (_, at) => Buffer.from(`chunk ${at}`));
  const chunks = new Map(texts.map((bytes) => [digestOf(bytes), bytes]));
  const [first = '', second = ''] = chunks.keys();
  await rig.store.putChunks(chunks);
  expect(await rig.store.touch(chunks.keys())).toEqual(new Set());
  await rig.redis.expire(snapshotKeys.chunk(first), 10);
  await rig.redis.del(snapshotKeys.chunk(second));
  expect(await rig.store.touch(chunks.keys())).toEqual(new Set([second]));
  expect(await rig.redis.ttl(snapshotKeys.chunk(first))).toBeGreaterThan(86_000);
  await rig.store.putChunks(chunks);
  expect(await rig.redis.getBuffer(snapshotKeys.chunk(second))).toEqual(texts[1]);
  expect(await rig.redis.ttl(snapshotKeys.chunk(second))).toBeGreaterThan(86_000);
});

test('a head is published where Redis has all that it needs, and not at all where something is missing', async () => {
  const [root, lost] = ['root', 'lost'].map((text) => ({ digest: digestOf(Buffer.from(text)), bytes: Buffer.from(text) }));
  if (root === undefined || lost === undefined) throw new Error('no contents');
  const head = rig.head(1);
  expect(await rig.store.publish(head, [root], [root.digest, lost.digest])).toBe(false);
  expect(await rig.store.readHead()).toBeUndefined();
  const heard = new Promise((resolve) => rig.subscriber.once('message', (_channel, text: string) => resolve(JSON.parse(text))));
  await rig.subscriber.subscribe(snapshotKeys.channel);
  expect(await rig.store.publish(head, [lost], [root.digest, lost.digest])).toBe(true);
  expect(await rig.store.readHead()).toEqual(head);
  expect(await heard).toEqual(head);
  expect(await rig.redis.ttl(snapshotKeys.chunk(lost.digest))).toBeGreaterThan(86_000);
});

test('a Redis that refuses a write fails the call', async () => {
  await rig.redis.config('SET', 'maxmemory', '1');
  const bytes = Buffer.from('one more');
  await expect(rig.store.putChunks(new Map([[digestOf(bytes), bytes]]))).rejects.toThrow('OOM');
  await rig.redis.config('SET', 'maxmemory', '0');
});
