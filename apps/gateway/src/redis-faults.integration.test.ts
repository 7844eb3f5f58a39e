import { once } from 'node:events';
import { createLogger } from '@portcullis/boot';
import { connectRedis, freshRedis } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openRedis, type RedisConnections } from './redis-connections.js';
import { SharedEndedSessions } from './session/ended-sessions.js';

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
  }, 10_000);
  expect([ended.has('session-0'), ended.has('session-99')]).toEqual([false, true]);
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
