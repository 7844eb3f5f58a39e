import { readFile } from 'node:fs/promises';
import { AUDIT_QUEUE } from '@portcullis/contracts/audit';
import { connectRedis } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const user = 'portcullis-node';
const password = 'of-the-test';
const quota = { id: '0198c0de-0000-7000-8000-000000000009', terms: { kind: 'quota', calls: 1000, per: 'day' } } as const;
const agent = anAgent('alice', { callLimits: [quota] });
let stack: TestStack;
let upstream: ScriptedServer;
let node: Redis;

/** Lets the nodes of a test in as the user that is described for nodes. */
async function asNodeUser(redisUrl: string): Promise<Record<string, string>> {
  const rules = (await readFile(new URL('../../../../deploy/redis-node.acl', import.meta.url), 'utf8')).trim().split(' ');
  const redis = connectRedis(redisUrl);
  await redis.acl('SETUSER', user, 'on', `>${password}`, ...rules);
  redis.disconnect();
  const url = new URL(redisUrl);
  Object.assign(url, { username: user, password });
  return { REDIS_URL: url.href };
}

beforeAll(async () => {
  upstream = await startScriptedServer();
  upstream.answer = ({ json, message }) =>
    json({ jsonrpc: '2.0', id: message.id, result: { content: [], capabilities: {}, protocolVersion: '2025-11-25' } });
  stack = await startTestStack(2, asNodeUser);
  const { host, port } = new URL(`redis://${stack.redis.options.host ?? ''}:${String(stack.redis.options.port)}`);
  node = new Redis({ host: host.split(':')[0] ?? '', port: Number(port), username: user, password });
  const server = aServer('one', [aTool('run')], { url: upstream.url });
  await stack.publish({ servers: [server], agents: [agent], grants: [aGrant(agent, server)], settings });
});
afterAll(async () => {
  node.disconnect();
  await stack.stop();
  await upstream.close();
});

async function post(url: string, message: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

test('A137: all that nodes do in Redis, the user for nodes may do', async () => {
  const [first = '', second = ''] = stack.urls;
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  const opened = await post(first, { id: 1, method: 'initialize', params });
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  expect((await post(second, { id: 2, method: 'tools/call', params: { name: 'one__run' } }, session)).status).toBe(200);
  expect((await post(first, { id: 3, method: 'logging/setLevel', params: { level: 'error' } }, session)).status).toBe(200);
  await post(first, { method: 'notifications/cancelled', params: { requestId: 9 } }, session);
  expect((await fetch(`${first}/mcp`, { method: 'DELETE', headers: { authorization: `Bearer ${agent.token}`, ...session } })).ok).toBe(true);
  await vi.waitFor(async () => expect((await stack.events()).some(({ tool, phase }) => tool === 'run' && phase === 'outcome')).toBe(true), 10_000);
  expect(await stack.redis.keys('portcullis:quota:*')).not.toEqual([]);
  // Redis notes whatever it refuses.
  expect(await stack.redis.acl('LOG')).toEqual([]);
});

test('A137: and nothing else: no policy, no other queue, nothing of Redis itself, by scripts neither', async () => {
  const attempts: [string, ...string[]][] = [
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['CONFIG', 'GET', '*'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['ACL', 'LIST'],
    ['SHUTDOWN'],
    ['MODULE', 'LIST'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['MONITOR'],
    ['SCRIPT', 'FLUSH'],
    ['FUNCTION', 'LIST'],
    ['SET', 'portcullis:head', 'x'],
    ['DEL', 'portcullis:head'],
    ['SET', 'portcullis:chunk:00', 'x'],
    ['GET', 'anything'],
    ['LPUSH', 'bull:portcullis-discovery:wait', 'x'],
    ['LPUSH', 'bull:portcullis-webhooks:wait', 'x'],
    ['RENAME', `bull:${AUDIT_QUEUE}:meta`, 'mine'],
    ['PUBLISH', 'portcullis:dirty', '1'],
    ['SUBSCRIBE', 'elsewhere'],
    ['EVAL', "return redis.call('SET', 'portcullis:head', 'x')", '0'],
    ['EVAL', "return redis.call('FLUSHALL')", '0'],
    ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'anything'],
  ];
  const before = await stack.redis.get('portcullis:head');
  for (const [command, ...args] of attempts)
    await expect(node.call(command, ...args), [command, ...args].join(' ')).rejects.toThrow(/NOPERM|no permission|can't (?:access|run)/i);
  expect(await stack.redis.exists('portcullis:head')).toBe(before === null ? 0 : 1);
});
