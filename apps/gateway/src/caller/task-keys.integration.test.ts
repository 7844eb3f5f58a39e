import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CreatedTaskKey } from '@portcullis/contracts/task-keys';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const alice = anAgent('alice');
let stack: TestStack;
let upstream: ScriptedServer;

beforeAll(async () => {
  [stack, upstream] = await Promise.all([startTestStack(2), startScriptedServer()]);
  upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  const tools = Array.from({ length: 44 }, (_, at) => aTool(`tool${String(at)}`));
  const server = aServer('big', tools, { url: upstream.url, era: 'modern' });
  await stack.publish({ servers: [server], agents: [alice], grants: [aGrant(alice, server)], settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), upstream.close()]);
});

async function exchange(node: number, key: string, wish: object): Promise<CreatedTaskKey> {
  const response = await fetch(`${stack.urls[node] ?? ''}/task-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  });
  expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
  return (await response.json()) as CreatedTaskKey;
}

async function connect(node: number, key: string): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new LegacyTransport(new URL('/mcp', stack.urls[node]), { requestInit }));
  return client;
}

test('an agent with 44 tools sees the two of its task on any node, and every event names the task', async () => {
  const whole = await connect(0, alice.token);
  expect((await whole.listTools()).tools).toHaveLength(44);
  const { key, ...about } = await exchange(0, alice.token, { task: 'ticket-4711', tools: ['big:tool1', 'big:tool2'], ttlSeconds: 600 });
  expect(about).toMatchObject({ task: 'ticket-4711', agent: 'alice', parentKeyId: alice.keys[0]?.id });
  const narrow = await connect(1, key);
  expect((await narrow.listTools()).tools.map(({ name }) => name)).toEqual(['big__tool1', 'big__tool2']);
  await narrow.callTool({ name: 'big__tool1' });
  await expect(narrow.callTool({ name: 'big__tool3' })).rejects.toThrow('Unknown tool: big__tool3');
  const nested = await connect(0, (await exchange(1, key, { task: 'ticket-4711/a', servers: ['*'], tools: ['big:*'] })).key);
  expect((await nested.listTools()).tools.map(({ name }) => name)).toEqual(['big__tool1', 'big__tool2']);
  await vi.waitFor(async () => {
    const events = await stack.events();
    const ofTask = events.filter(({ task }) => task === 'ticket-4711').map(({ method, phase, tool, reason }) => ({ method, phase, tool, reason }));
    expect(ofTask).toContainEqual(expect.objectContaining({ method: 'task-keys/create' }));
    expect(ofTask).toContainEqual(expect.objectContaining({ method: 'tools/call', phase: 'intent', tool: 'tool1' }));
    expect(ofTask).toContainEqual(expect.objectContaining({ method: 'tools/call', phase: 'outcome', tool: 'tool1' }));
    expect(ofTask).toContainEqual(expect.objectContaining({ method: 'tools/call', phase: 'single', tool: 'tool3', reason: 'outside_task' }));
    expect(events.filter(({ task }) => task === 'ticket-4711/a').length).toBeGreaterThan(0);
    expect(JSON.stringify(events)).not.toContain(key.slice(0, 40));
  }, 10_000);
  await Promise.all([whole.close(), narrow.close(), nested.close()]);
});
