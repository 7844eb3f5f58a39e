import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { anAgent } from '../testing/policy-builders.js';
import { bodyOf, rawExchange, statusOf } from '../testing/raw-exchange.js';

const agent = anAgent('alice');
const { gateway, events } = buildGateway(aSnapshot({ agents: [agent] }));
let server: GatewayServer;

beforeAll(async () => {
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close(0));

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const good: Readonly<Record<string, string>> = {
  Host: 'localhost',
  Authorization: `Bearer ${agent.token}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};

interface Parts {
  readonly line?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly extra?: readonly string[];
  readonly body?: string | Buffer;
}

function bytesOf({ line = 'POST /mcp HTTP/1.1', headers = {}, extra = [], body = ping }: Parts): Buffer {
  const all = { ...good, 'Content-Length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return Buffer.concat([Buffer.from(`${[line, ...lines, ...extra].join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}
const send = (parts: Parts): Promise<string> => rawExchange(server.port, bytesOf(parts));

const stream = { line: 'GET /mcp HTTP/1.1', body: '' };
const without = (name: string): Parts => ({ headers: { [name]: undefined } });
const withHeader = (name: string, value: string): Parts => ({ headers: { [name]: value } });

test('a request in order is answered', async () => {
  const answer = await send({});
  expect(statusOf(answer)).toBe(200);
  expect(bodyOf(answer)).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
});

describe('refused with its own status, and without a word of the request', () => {
  test.each<[string, number, Parts]>([
    ['two Host', 400, { extra: ['Host: localhost'] }],
    ['two Authorization', 400, { extra: [`Authorization: Bearer ${agent.token}`] }],
    ['two Content-Type', 400, { extra: ['content-type: application/json'] }],
    ['two Mcp-Name', 400, { extra: ['Mcp-Name: a', 'mcp-name: b'] }],
    ['two Mcp-Session-Id', 400, { extra: ['Mcp-Session-Id: a', 'Mcp-Session-Id: a'] }],
    ['two Mcp-Param of one name', 400, { extra: ['Mcp-Param-X: a', 'mcp-param-x: a'] }],
    ['two Origin', 403, { extra: ['Origin: http://localhost', 'Origin: http://localhost'] }],
    ['absolute-form target', 400, { line: 'POST http://evil/mcp HTTP/1.1' }],
    ['HTTP/1.0', 400, { line: 'POST /mcp HTTP/1.0' }],
    ['foreign Host', 403, withHeader('Host', 'evil.example')],
    ['Host with user', 403, withHeader('Host', 'user@localhost')],
    ['Host with a trailing dot', 403, withHeader('Host', 'localhost.')],
    ['IP that is not listed', 403, withHeader('Host', '10.0.0.1')],
    ['foreign Origin', 403, withHeader('Origin', 'https://evil.example')],
    ['Origin null', 403, withHeader('Origin', 'null')],
    ['Origin that only begins like ours', 403, withHeader('Origin', 'http://localhost.evil.example')],
    ['no such path', 404, { line: 'POST / HTTP/1.1' }],
    ['path with two slashes', 404, { line: 'POST //mcp HTTP/1.1' }],
    ['path with a slash behind', 404, { line: 'POST /mcp/ HTTP/1.1' }],
    ['path in capitals', 404, { line: 'POST /MCP HTTP/1.1' }],
    ['path in escapes', 404, { line: 'POST /%6dcp HTTP/1.1' }],
    ['path with dots', 404, { line: 'POST /./mcp HTTP/1.1' }],
    ['endpoint of no possible server', 404, { line: 'POST /servers/A_B/mcp HTTP/1.1' }],
    ['GET of the era without', 405, { ...stream, ...withHeader('MCP-Protocol-Version', '2026-07-28') }],
    ['GET of no known era', 400, { ...stream, ...withHeader('MCP-Protocol-Version', '1999-01-01') }],
    ['GET that takes no stream', 406, { ...stream, ...withHeader('Accept', 'application/json') }],
    ['GET with a body', 400, { line: stream.line }],
    ['GET behind an event that nobody sent', 400, { ...stream, extra: ['Last-Event-ID: 1'] }],
    ['GET of an unknown session', 404, { ...stream, extra: ['Mcp-Session-Id: abc'] }],
    ['PUT', 405, { line: 'PUT /mcp HTTP/1.1' }],
    ['TRACE', 405, { line: 'TRACE /mcp HTTP/1.1' }],
    ['no Content-Type', 415, without('Content-Type')],
    ['text/plain', 415, withHeader('Content-Type', 'text/plain')],
    ['a form', 415, withHeader('Content-Type', 'application/x-www-form-urlencoded')],
    ['another JSON type', 415, withHeader('Content-Type', 'application/json-patch+json')],
    ['a type with a tab and more', 415, withHeader('Content-Type', 'application/json\ta')],
    ['UTF-16', 415, withHeader('Content-Type', 'application/json; charset=utf-16')],
    ['a compressed body', 415, withHeader('Content-Encoding', 'gzip')],
    ['no Accept', 406, without('Accept')],
    ['Accept of pages', 406, withHeader('Accept', 'text/html')],
    ['Accept of JSON alone', 406, withHeader('Accept', 'application/json')],
    ['Accept that rules a stream out', 406, withHeader('Accept', 'application/json, text/event-stream;q=0')],
    ['a body over the limit', 413, { body: `"${'x'.repeat(70_000)}"` }],
    ['not JSON', 400, { body: '{"jsonrpc":' }],
    ['not UTF-8', 400, { body: Buffer.from([0x22, 0xff, 0x22]) }],
    ['no JSON-RPC', 400, { body: '[]' }],
    ['too deep', 400, { body: '['.repeat(5000) }],
  ])('%s', async (_what, status, parts) => {
    const answer = await send(parts);
    expect(statusOf(answer)).toBe(status);
    expect(JSON.parse(bodyOf(answer))).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: expect.any(Number) as unknown } });
    expect(bodyOf(answer)).not.toMatch(/evil|at .*\.(?:ts|js)/);
    expect(statusOf(await send({}))).toBe(200);
  });
});

describe('let through', () => {
  test.each<[string, Parts]>([
    ['Host with a port', withHeader('Host', 'localhost:8080')],
    ['Host in capitals', withHeader('Host', 'LOCALHOST')],
    ['IPv6 loopback', withHeader('Host', '[::1]:80')],
    ['Origin of this machine', withHeader('Origin', 'http://localhost:3000')],
    ['charset utf-8', withHeader('Content-Type', 'application/json; charset=UTF-8')],
    ['Accept of anything', withHeader('Accept', '*/*')],
    ['headers of other people’s proxies', { extra: ['X-Forwarded-Host: evil', 'X-Original-URL: /x', 'X-HTTP-Method-Override: PUT', 'mcp_name: x'] }],
    ['a query', { line: 'POST /mcp?a=b HTTP/1.1' }],
  ])('%s', async (_what, parts) => {
    expect(statusOf(await send(parts))).toBe(200);
  });
});

describe('ambiguous framing is refused by the parser and nothing behind it runs', () => {
  const smuggled = `POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  test.each<[string, Parts]>([
    ['length and chunks', { extra: ['Transfer-Encoding: chunked'], body: `0\r\n\r\n${smuggled}` }],
    ['two lengths', { extra: ['Content-Length: 3'] }],
    ['chunks that are not last', { headers: { 'Content-Length': undefined }, extra: ['Transfer-Encoding: chunked, identity'] }],
    ['a length with a sign', withHeader('Content-Length', '+5')],
    ['a folded header', { extra: ['X-A: b', ' c'] }],
    ['HTTP/1.2', { line: 'POST /mcp HTTP/1.2' }],
    ['20 KiB of headers', withHeader('X-Long', 'x'.repeat(20_000))],
  ])('%s', async (_what, parts) => {
    const before = events.length;
    const answer = await send(parts);
    expect([0, 400, 431, 505]).toContain(statusOf(answer));
    expect(answer.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect(events.length).toBe(before);
  });
});

test('what is refused after authentication is recorded, once', async () => {
  const before = events.length;
  await send(withHeader('Content-Type', 'text/plain'));
  await send({ body: '{' });
  const reasons = events.slice(before).map(({ phase, status, reason, agent: slug }) => ({ phase, status, reason, slug }));
  expect(reasons).toEqual([
    { phase: 'single', status: 'refused', reason: 'client.unsupported_media_type', slug: 'alice' },
    { phase: 'single', status: 'refused', reason: 'client.malformed', slug: 'alice' },
  ]);
});
