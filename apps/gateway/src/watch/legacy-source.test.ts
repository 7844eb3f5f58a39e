import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type Server } from 'node:http';
import { Pool } from 'undici';
import { listenLoopback } from '../testing/listen-loopback.js';
import { aServer } from '../testing/policy-builders.js';
import { Upstreams } from '../upstream/upstreams.js';
import { LegacySource } from './legacy-source.js';

const asked: string[] = [];
const refused: Record<string, { status: number; body: object }> = {};
let stop: () => Promise<void>;
let url: string;

/** A server that answers with an HTTP status of its own where it refuses a resource. */
function refusing(): Server {
  return createServer((request, response) => {
    if (request.method === 'GET') return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    if (request.method === 'DELETE') return response.writeHead(200).end();
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(text) as { id?: string; method: string; params?: { uri?: string } };
      asked.push(`${method} ${params?.uri ?? ''}`.trim());
      const { status, body } = refused[params?.uri ?? ''] ?? { status: 200, body: { result: { protocolVersion: '2025-06-18', capabilities: {} } } };
      response.writeHead(status, { 'content-type': 'application/json', 'mcp-session-id': 's' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    });
  });
}

beforeEach(async () => {
  ({ url, close: stop } = await listenLoopback(refusing()));
  asked.length = 0;
});
afterEach(() => stop());

async function open(uris: string[]) {
  const upstreams = new Upstreams((origin, { connections, keepAliveTimeout }) => new Pool(origin, { connections, keepAliveTimeout }));
  const way = upstreams.openApart(aServer('s', [], { url: `${url}/mcp` }));
  const source = new LegacySource(way, { name: 'test', version: '1' }, { onLists: () => undefined, onUpdated: () => undefined });
  return source.open(new Set(uris)).finally(() => source.close());
}

test('a resource that a server refuses, by whatever status, keeps it from telling nobody of others', async () => {
  refused['x://bad'] = { status: 400, body: { error: { code: -32602, message: 'No such resource' } } };
  const opened = await open(['x://bad', 'x://good']);
  expect(asked.filter((one) => one.startsWith('resources/'))).toEqual(['resources/subscribe x://bad', 'resources/subscribe x://good']);
  opened.close();
});

test.each([
  ['a session that it does not know', 404],
  ['a server that fails', 503],
])('%s is no refusal of a resource', async (_what, status) => {
  refused['x://lost'] = { status, body: { error: { code: -32001, message: 'Session not found' } } };
  await expect(open(['x://lost'])).rejects.toMatchObject({ code: 'upstream.protocol' });
});
