import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { auditRowsOf } from './audit-rows.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { type JsonRpcAnswer, jsonHeaders, messageIn, send, sendMcp } from './raw-mcp.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('target');
const agent = freshSlug('sloppy');
const wire = `${slug}__work`;
const url = `${stack.gatewayUrls[0]}/mcp`;

let server: TestServer;
let key: string;

/** What others made the node say is not looked at. */
let loggedBefore: number;
const nodeLog = (): Promise<string> => readFile(join(stack.dataDirectory, 'logs', 'gateway-1.log'), 'utf8');

beforeAll(async () => {
  loggedBefore = (await nodeLog()).length;
  server = await startTestServer(['work']);
  await registerServer(api, slug, server.url);
  key = await grantedAgent(api, { agent, server: slug, names: ['work'] });
});
afterAll(() => server.close());

interface Bad {
  readonly what: string;
  readonly body?: unknown;
  readonly raw?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly without?: string;
  readonly path?: string;
  readonly method?: string;
  readonly status: number;
  readonly code: number;
}

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': wire };
const call = (params: unknown): unknown => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const modernCall = (extra: Record<string, unknown> = {}): unknown => call({ name: wire, arguments: { text: 'bad' }, _meta: { ...meta, ...extra } });
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

const cases: Bad[] = [
  { what: 'a body that is no JSON', raw: '{"jsonrpc":', status: 400, code: -32700 },
  { what: 'an empty body', raw: '', status: 400, code: -32700 },
  { what: 'a body that is no UTF-8', raw: Buffer.from([0x22, 0xff, 0x22]), status: 400, code: -32700 },
  { what: 'a body nested without end', raw: `${'['.repeat(50_000)}${']'.repeat(50_000)}`, status: 400, code: -32700 },
  { what: 'a text', body: 'hello', status: 400, code: -32600 },
  { what: 'null', raw: 'null', status: 400, code: -32600 },
  { what: 'an empty batch', body: [], status: 400, code: -32600 },
  { what: 'another version of JSON-RPC', body: { ...list, jsonrpc: '1.0' }, status: 400, code: -32600 },
  { what: 'an id that is a list', body: { ...list, id: [1] }, status: 400, code: -32600 },
  { what: 'an id that is null', body: { ...list, id: null }, status: 400, code: -32600 },
  { what: 'a method that is a number', body: { ...list, method: 7 }, status: 400, code: -32600 },
  { what: 'params that are a list', body: { ...list, params: [1] }, status: 400, code: -32600 },
  { what: 'a method there is not', body: { ...list, method: 'tools/destroy' }, status: 200, code: -32601 },
  { what: 'a call of no name', body: call({ arguments: { text: 'bad' } }), status: 200, code: -32602 },
  { what: 'a call of a name that is a number', body: call({ name: 5 }), status: 200, code: -32602 },
  { what: 'a cursor that was not given out', body: { ...list, params: { cursor: 'AAAA' } }, status: 200, code: -32602 },
  { what: 'a modern call without its headers', body: modernCall(), status: 400, code: -32020 },
  {
    what: 'a modern call whose headers name another tool',
    body: modernCall(),
    headers: { ...modernHeaders, 'mcp-name': 'other' },
    status: 400,
    code: -32020,
  },
  {
    what: 'a modern call whose headers name another method',
    body: modernCall(),
    headers: { ...modernHeaders, 'mcp-method': 'tools/list' },
    status: 400,
    code: -32020,
  },
  {
    what: 'a version that is not served',
    body: modernCall({ 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }),
    headers: { ...modernHeaders, 'mcp-protocol-version': '2099-01-01' },
    status: 400,
    code: -32022,
  },
  {
    what: 'a modern call without capabilities',
    body: call({ name: wire, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
    headers: modernHeaders,
    status: 400,
    code: -32602,
  },
  { what: 'a session that nobody gave', body: list, headers: { 'mcp-session-id': 'made-up' }, status: 404, code: -32001 },
  { what: 'no key', body: list, without: 'authorization', status: 401, code: -32600 },
  {
    what: 'the key of nobody',
    body: list,
    headers: { authorization: 'Bearer gw_aaaaaaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
    status: 401,
    code: -32600,
  },
  { what: 'the token of an operator', body: list, headers: { authorization: `Bearer ${stack.operatorToken}` }, status: 401, code: -32600 },
  { what: 'another type of content', raw: 'a=b', headers: { 'content-type': 'text/plain' }, status: 415, code: -32600 },
  { what: 'a compressed body', raw: 'x', headers: { 'content-encoding': 'gzip' }, status: 415, code: -32600 },
  { what: 'a client that takes no JSON', body: list, headers: { accept: 'text/html' }, status: 406, code: -32600 },
  { what: 'the page of a stranger', body: list, headers: { origin: 'https://evil.example' }, status: 403, code: -32600 },
  { what: 'another host', body: list, headers: { host: 'evil.example' }, status: 403, code: -32600 },
  { what: 'a path there is not', body: list, path: '/other', status: 404, code: -32600 },
  { what: 'a method there is not at this address', method: 'PUT', body: list, status: 405, code: -32600 },
  { what: 'a body over the limit, before it is sent', raw: '{', headers: { 'content-length': '20000000' }, status: 413, code: -32600 },
  {
    what: 'a number that would not survive',
    raw: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${wire}","arguments":{"text":"x","n":12345678901234567890}}}`,
    status: 400,
    code: -32600,
  },
];

function ask({ body, raw, headers = {}, without, path, method }: Bad) {
  const all: Record<string, string> = { ...jsonHeaders(key), ...headers };
  if (without !== undefined) delete all[without];
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return send(path === undefined ? url : new URL(path, url).href, {
    headers: all,
    ...(content === undefined ? {} : { body: content }),
    ...(method === undefined ? {} : { method }),
  });
}

describe('at /mcp', () => {
  test.each(cases)('$what is answered $status with JSON-RPC error $code, and nothing reaches a server', async (bad) => {
    const answer = await ask(bad);
    expect(`${answer.status} ${answer.body}`).toMatch(new RegExp(`^${bad.status} `));
    const message: JsonRpcAnswer = messageIn(answer);
    expect(message).toMatchObject({ jsonrpc: '2.0', error: { code: bad.code, message: expect.any(String) as string } });
    expect(answer.body).not.toMatch(/node_modules|\bat \w+ \(/);
    expect(server.ran).toEqual([]);
  });

  test('arguments that the tool refuses are the tool’s own answer', async () => {
    const answer = await sendMcp(url, { key, era: 'modern', method: 'tools/call', params: { name: wire, arguments: { text: 5 } } });
    expect(answer.status).toBe(200);
    expect(messageIn(answer).result?.isError ?? messageIn(answer).error?.code === -32602).toBe(true);
    expect(server.ran).toEqual([]);
  });

  test('a member that comes twice is forwarded as it was authorised', async () => {
    const body = (first: string, second: string): string =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${first}","name":"${second}","arguments":{"text":"one","text":"two"}}}`;
    const ran = server.ran.length;
    const refused = await send(url, { headers: jsonHeaders(key), body: body(wire, `${slug}__other`) });
    expect(messageIn(refused).error?.message).toBe(`Unknown tool: ${slug}__other`);
    const allowed = await send(url, { headers: jsonHeaders(key), body: body(`${slug}__other`, wire) });
    expect(messageIn(allowed).result?.content?.[0]?.text).toBe('work: two');
    expect(server.ran.slice(ran)).toEqual(['two']);
  });

  test('names and arguments full of hostile text are served like any other, and recorded', async () => {
    const text = 'a\u0000b\u2028\u202e\r\n"}]\\ud800 \ud83d\ude00 {{x}} ${y} <script>';
    const ran = server.ran.length;
    for (const era of ['legacy', 'modern'] as const) {
      const answer = await sendMcp(url, { key, era, method: 'tools/call', params: { name: wire, arguments: { text } } });
      expect(messageIn(answer).result?.content?.[0]?.text).toBe(`work: ${text}`);
      const name = 'no\u0000such\r\ntool';
      const refused = await send(url, { headers: jsonHeaders(key), body: JSON.stringify(call({ name, arguments: { text } })) });
      expect(messageIn(refused).error).toEqual({ code: -32602, message: `Unknown tool: ${name}` });
    }
    expect(server.ran.slice(ran)).toEqual([text, text]);
    await vi.waitFor(
      async () => {
        const rows = (await auditRowsOf(stack.databaseUrl, agent)).filter(({ method }) => method === 'tools/call');
        expect(rows.filter((row) => row.arguments === JSON.stringify({ text })).length).toBe(4);
      },
      { timeout: 20_000 },
    );
  });

  test('whoever sends megabytes too many reads why they are refused, and does not just lose the connection', async () => {
    const body = JSON.stringify(call({ name: wire, arguments: { text: 'x'.repeat(5_000_000) } }));
    for (let round = 0; round < 10; round += 1) {
      const answer = await send(url, { headers: jsonHeaders(key), body });
      expect([answer.status, messageIn(answer).error?.code]).toEqual([413, -32600]);
    }
  });

  test('a node that was sent all this serves on, and logged no fault of its own', async () => {
    const list = await sendMcp(url, { key, era: 'modern', method: 'tools/list' });
    expect(messageIn(list).result?.tools?.map(({ name }) => name)).toEqual([wire]);
    const log = (await nodeLog()).slice(loggedBefore);
    expect(log.split('\n').filter((line) => /"level":"?(50|60|error|fatal)"?/.test(line))).toEqual([]);
  });
});
