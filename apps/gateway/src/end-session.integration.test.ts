import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createServer } from 'node:http';
import { listenLoopback } from './testing/listen-loopback.js';
import { mcpHeaders } from './testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from './testing/policy-builders.js';
import { startTestStack, type TestStack } from './testing/test-stack.js';

const alice = anAgent('alice');
let stack: TestStack;
let closeServer: () => Promise<void>;
let opened: string[] = [];
let ended: unknown[] = [];

beforeAll(async () => {
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'DELETE') {
        ended.push(request.headers['mcp-session-id']);
        response.writeHead(200).end();
        return;
      }
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: string; method: string };
      if (id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const result = method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: {} } : { content: [] };
      if (method === 'initialize') {
        opened.push(`session-${String(opened.length)}`);
        response.setHeader('mcp-session-id', opened.at(-1) ?? '');
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  const { url, close } = await listenLoopback(http);
  closeServer = close;
  stack = await startTestStack(2);
  const servers = ['one', 'two'].map((slug) => aServer(slug, [aTool('run')], { url: `${url}/mcp`, era: 'legacy' }));
  await stack.publish({ servers, agents: [alice], grants: servers.map((server) => aGrant(alice, server)), settings });
});
afterAll(async () => {
  await stack.stop();
  await closeServer();
});

function send(node: number, method: string, options: { body?: object; session?: string } = {}) {
  const { body, session } = options;
  return fetch(`${stack.urls[node] ?? ''}/mcp`, {
    method,
    headers: {
      ...mcpHeaders(alice.token),
      ...(session !== undefined && { 'mcp-session-id': session }),
    },
    ...(body !== undefined && { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) }),
  });
}

async function openSession(): Promise<string> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const response = await send(0, 'POST', { body: { method: 'initialize', params } });
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}
const call = async (node: number, name: string, session?: string): Promise<string> =>
  (await send(node, 'POST', { body: { method: 'tools/call', params: { name } }, ...(session !== undefined && { session }) })).text();

test('a session that its client ends is ended at every server it was used with, and no other is', async () => {
  const [mine, other] = [await openSession(), await openSession()];
  await call(0, 'one__run', mine);
  await call(1, 'two__run', mine);
  const ofMine = [...opened];
  expect(ofMine).toHaveLength(2);
  await call(0, 'one__run', other);
  await call(0, 'one__run');
  expect((await send(1, 'DELETE', { session: mine })).status).toBe(200);
  await vi.waitFor(() => expect(new Set(ended)).toEqual(new Set(ofMine)), 10_000);
  const before = opened.length;
  expect(await call(1, 'one__run', other)).toContain('content');
  expect(opened).toHaveLength(before);
  expect((await stack.redis.keys('portcullis:upstream-session:*')).length).toBe(2);
  ended = [];
  opened = [];
});

test('sessions at servers expire once nobody uses them', async () => {
  await call(0, 'two__run', await openSession());
  const keys = await stack.redis.keys('portcullis:upstream-session:*');
  for (const key of keys) expect(await stack.redis.pttl(key)).toBeGreaterThan(0);
});
