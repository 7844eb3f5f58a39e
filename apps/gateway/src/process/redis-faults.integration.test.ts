import { once } from 'node:events';
import { createLogger } from '@portcullis/boot';
import { countKeys } from '@portcullis/contracts/limits';
import { connectRedis, freshRedis } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { redisLeases } from '../limits/leases.js';
import { openRedis, type RedisConnections } from './redis-connections.js';
import { SharedEndedSessions } from '../session/ended-sessions.js';

let redis: Awaited<ReturnType<typeof freshRedis>>;
let connections: RedisConnections;
let ended: SharedEndedSessions | undefined;

beforeAll(async () => {
  redis = await freshRedis();
  connections = openRedis({ redisUrl: redis.url, auditRedisUrl: undefined }, createLogger({ name: 'test', level: 'silent' }));
  await once(connections.commands, 'ready');
});
afterAll(async () => {
  ended?.close();
  connections.close();
  await redis.stop();
});

test('one who ends session after session fills neither Redis nor its nodes: the oldest are forgotten', async () => {
  const [most, later] = [10, Date.now() + 3_600_000];
  ended = new SharedEndedSessions(connections.commands, connections.sessions, most);
  for (let at = 0; at < 100; at += 1) ended.add(`session-${String(at)}`, later + at);
  await vi.waitFor(async () => {
    const kept = await connections.commands.zrange('portcullis:ended-sessions', '0', '-1');
    expect(kept).toEqual(Array.from({ length: most }, (_, at) => `session-${String(90 + at)}`));
    // It hears itself too, of the oldest first.
    expect([ended?.has('session-0'), ended?.has('session-99')]).toEqual([false, true]);
  }, 10_000);
});

test('a clock of Redis that was ahead, and was set right, leaves no limit used up for as long as it was ahead', async () => {
  const { rate } = redisLeases(connections.commands);
  const wish = { key: 'ahead', calls: 10, windowMs: 10_000, wanted: 1, waiting: 1, unused: { tokens: 0, slice: 0 } };
  const name = countKeys.rate(wish.key, wish.windowMs);
  const [anHourAhead, next] = [3_600_000, 1000].map((ms) => String(Math.floor((Date.now() + ms) / 1000)));
  await connections.commands.hset(name, { [anHourAhead ?? '']: '10', [next ?? '']: '9' });
  expect(await rate(wish)).toMatchObject({ tokens: 1 });
  expect(await rate(wish)).toMatchObject({ tokens: 0 }); // what another primary counted a moment ago counts
});

test('a primary that has become a replica is left, for the one that took over answers under its name', async () => {
  const operator = connectRedis(redis.url);
  await operator.replicaof('127.0.0.1', 1);
  const back = new Promise((resolve) => {
    connections.commands.once('ready', resolve);
  });
  await expect(connections.commands.set('x', '1')).rejects.toThrow('READONLY');
  await operator.replicaof('NO', 'ONE');
  await back;
  expect(await connections.commands.set('x', '1')).toBe('OK');
  operator.disconnect();
});
