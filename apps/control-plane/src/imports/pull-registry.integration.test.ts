import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { deleteServers } from '../testing/delete-servers.js';
import { serve, type Peer } from '../testing/mcp-peers.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let registry: Peer;
let base: string;
let asked: URL[] = [];
let answer: (url: URL, response: ServerResponse) => unknown;

beforeAll(async () => {
  own = await startTestApp({ imports: { egressAllow: ['127.0.0.0/8'] } });
  registry = await serve((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    asked.push(url);
    response.setHeader('content-type', 'application/json');
    return answer(url, response);
  });
  base = registry.url.replace('/mcp', '');
});
afterEach(async () => {
  asked = [];
  await deleteServers(own.database);
});
afterAll(async () => {
  await registry.close();
  await own.close();
});

const entry = (at: number) => ({
  server: {
    name: `com.example/server-${at}`,
    description: `Number ${at}`,
    version: '1.0.0',
    remotes: [{ type: 'streamable-http', url: `https://s${at}.example.com/mcp` }],
  },
  _meta: { 'io.modelcontextprotocol.registry/official': { status: 'active', isLatest: true } },
});

/** A registry of so many servers, by its OpenAPI: pages by `limit`, an opaque cursor, `updated_since`. */
const listing =
  (count: number, version = 'v0.1') =>
  (url: URL, response: ServerResponse): unknown => {
    if (url.pathname !== `/${version}/servers`) return response.writeHead(404).end('{"error":"not found"}');
    const limit = Number(url.searchParams.get('limit'));
    const from = Number(Buffer.from(url.searchParams.get('cursor') ?? '', 'base64url').toString() || 0);
    const all = url.searchParams.has('updated_since') ? 1 : count;
    const servers = Array.from({ length: Math.max(0, Math.min(limit, all - from)) }, (_, at) => entry(from + at));
    const next = from + limit < all ? { nextCursor: Buffer.from(String(from + limit)).toString('base64url') } : {};
    return response.end(JSON.stringify({ servers, metadata: { count: servers.length, ...next } }));
  };

async function pull(more: object = {}) {
  const begun = await own.call('POST', '/v1/imports/registry', { url: base, ...more });
  expect(begun.status, begun.text).toBe(202);
  const read = async () => (await own.call('GET', `/v1/imports/${begun.body.id}`)).body;
  await vi.waitFor(async () => expect((await read()).state).not.toBe('running'), 30_000);
  return read();
}

test('a registry is read page by page, and again only since the last time', async () => {
  answer = listing(250);
  expect(await pull()).toMatchObject({ state: 'finished', source: 'registry', origin: new URL(base).host, received: 250, created: 250 });
  expect(asked.map(({ searchParams }) => [searchParams.get('limit'), searchParams.get('version'), searchParams.has('cursor')])).toEqual([
    ['100', 'latest', false],
    ['100', 'latest', true],
    ['100', 'latest', true],
  ]);
  const again = await pull({ updatedSince: 'last' });
  expect(again).toMatchObject({ state: 'finished', received: 1, unchanged: 1 });
  expect(again.updatedSince).not.toBeNull();
  expect((await own.call('GET', '/v1/servers/server-7')).body).toMatchObject({ description: 'Number 7', tags: [] });
});

test('a page that unpacks into more than memory holds is read no further', async () => {
  const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
  answer = (_url, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
  expect(await pull()).toMatchObject({ state: 'failed', detail: 'The registry answered with more than a page may hold.', received: 0 });
});

test('the older version of the API will do, and a busy registry is asked again', async () => {
  let busy = 1;
  const older = listing(3, 'v0');
  answer = (url, response) =>
    url.pathname.startsWith('/v0/') && busy-- > 0 ? response.writeHead(503, { 'retry-after': '0' }).end() : older(url, response);
  expect(await pull()).toMatchObject({ state: 'finished', created: 3 });
});

test.each([
  [
    'no registry',
    (_url: URL, response: ServerResponse) => response.writeHead(404).end(),
    'failed',
    'There is no registry at this address (HTTP 404).',
  ],
  [
    'a redirect',
    (_url: URL, response: ServerResponse) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    'failed',
    'The server answered with a redirect, which is not followed.',
  ],
  [
    'another language',
    (_url: URL, response: ServerResponse) => response.end('<html>'),
    'failed',
    'The registry did not answer with a list of servers.',
  ],
  [
    'an endless list',
    (_url: URL, response: ServerResponse) => response.end(JSON.stringify({ servers: [entry(1)], metadata: { nextCursor: 'x' } })),
    'failed',
    'The registry gave the same cursor twice.',
  ],
])('what cannot be read ends the import with its reason: %s', async (_what, given, state, detail) => {
  answer = given;
  expect(await pull()).toMatchObject({ state, detail });
});

test('an address that the control plane may not go to is refused (400), and none at all where there is no registry (422)', async () => {
  for (const url of ['http://10.0.0.1/', 'http://u:p@127.0.0.1/', 'http://127.0.0.1:6379/'])
    expect((await own.call('POST', '/v1/imports/registry', { url })).status, url).toBe(400);
  expect((await own.call('POST', '/v1/imports/registry', {})).status).toBe(422);
});
