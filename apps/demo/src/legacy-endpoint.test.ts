import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { legacyEndpoint } from './legacy-endpoint.js';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

let server: RunningServer;
let ended: string[];

beforeEach(async () => {
  ended = [];
  const create = () => ({ server: new McpServer({ name: 'test', version: '1' }), cleanup: (sessionId: string) => void ended.push(sessionId) });
  server = await serveLoopback(legacyEndpoint(create, 2), 0);
});
afterEach(() => server.close());

async function connected(): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(server.url));
  await client.connect(transport);
  return { client, transport };
}

test('one session too many closes the oldest and no other', async () => {
  const [first, second, third] = [await connected(), await connected(), await connected()];
  await expect(first.client.ping()).rejects.toThrow('Session not found');
  await second.client.ping();
  await third.client.ping();
  expect(ended).toEqual([first.transport.sessionId]);
  await Promise.all([first, second, third].map(({ client }) => client.close()));
});

test('a session that its client ends is cleaned up and unknown afterwards', async () => {
  const { client, transport } = await connected();
  const { sessionId = '' } = transport;
  await transport.terminateSession();
  await vi.waitFor(() => expect(ended).toEqual([sessionId]), 10_000);
  const answer = await fetch(server.url, { method: 'POST', headers: { 'mcp-session-id': sessionId }, body: '{}' });
  expect(answer.status).toBe(404);
  await client.close();
});

test('a request without a session that is no handshake is refused and opens none', async () => {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const answer = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: -32000 } });
  expect(ended).toEqual([]);
});
