import type { AbruptVisit } from '@portcullis/testing';
import fc from 'fast-check';
import { rawRequest } from './raw-request.js';

const LISTEN =
  '{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}';

/** Whole requests of many kinds, as they stand on the wire, by name. Those of a session are of the one given. */
export function requestsOfManyKinds(token: string, session: string): Readonly<Record<string, Buffer>> {
  const request = (body: string, more: Parameters<typeof rawRequest>[0] = {}): Buffer => rawRequest({ token, body, ...more });
  const bodiless = (line: string, extra: readonly string[] = [], headers: Record<string, string | undefined> = {}): Buffer =>
    rawRequest({ token, line, extra, body: '', headers: { 'Content-Length': undefined, ...headers } });
  const call = (name: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}"}}`;
  const ofSession = { 'Mcp-Session-Id': session };
  const stream = bodiless('GET /mcp HTTP/1.1', [], { Accept: 'text/event-stream', ...ofSession });
  const chunked = { headers: { 'Content-Length': undefined }, extra: ['Transfer-Encoding: chunked', 'Trailer: x'] };
  const inChunks = (text: string): string => `${Buffer.byteLength(text).toString(16)};x=y\r\n${text}\r\n0\r\nx: y\r\n\r\n`;
  const connect = Buffer.from('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n');
  const malformed = Buffer.from('POST /mcp HTTP/1.1\r\nHost : local\r\n\r\n');
  const webSocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
  const modern = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'subscriptions/listen' };
  return {
    connect,
    'connect with more behind': Buffer.concat([connect, Buffer.alloc(5000, 'x')]),
    'connect behind a call': Buffer.concat([request(call('m__run')), connect]),
    'malformed behind a call': Buffer.concat([request(call('m__long')), malformed]),
    malformed,
    'web socket': bodiless('GET /mcp HTTP/1.1', webSocket, ofSession),
    'web socket for a body': request(call('m__run'), { extra: webSocket }),
    'clear-text HTTP/2': request(call('m__run'), { extra: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'] }),
    'HTTP/2': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'expecting to go on': request(call('m__run'), { extra: ['Expect: 100-continue'] }),
    'expecting miracles': request(call('m__run'), { extra: ['Expect: miracles'] }),
    'a call': request(call('m__run')),
    'a call with a long answer': request(call('m__long')),
    'a call answered in parts': request(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"m__parts","_meta":{"progressToken":1}}}`),
    'a call never answered': request(call('m__never')),
    'a call to a server with sessions': request(call('l__run'), { headers: ofSession }),
    'a batch': request(`[${call('m__run')},${call('m__long').replace('1,', '2,')}]`, { headers: { 'MCP-Protocol-Version': '2025-03-26' } }),
    'calls on end': Buffer.concat(Array.from({ length: 20 }, (_, at) => request(call(at % 2 === 0 ? 'm__run' : 'm__long')))),
    listen: request(LISTEN, { headers: modern }),
    'a stream': stream,
    'a call behind a stream': Buffer.concat([stream, request(call('m__run'))]),
    'an end of a session': bodiless('DELETE /mcp HTTP/1.1', [], ofSession),
    options: bodiless('OPTIONS /mcp HTTP/1.1'),
    head: bodiless('HEAD /mcp HTTP/1.1'),
    'absolute form': request(call('m__run'), { line: 'POST http://localhost/mcp HTTP/1.1' }),
    'HTTP/1.0': request(call('m__run'), { line: 'POST /mcp HTTP/1.0' }),
    'in chunks': request(inChunks(call('m__run')), chunked),
    'too large': request('x'.repeat(100_000)),
    'too large and in chunks': request(inChunks('x'.repeat(100_000)), chunked),
    'too long a head': request(call('m__run'), { extra: [`x: ${'x'.repeat(20_000)}`] }),
    'no key': request(call('m__run'), { token: undefined }),
    'a task key': request('{}', { line: 'POST /task-keys HTTP/1.1' }),
    described: bodiless('GET /.well-known/oauth-protected-resource/mcp HTTP/1.1'),
  };
}

/** A visit, and what it was cut from. */
export interface NamedVisit extends AbruptVisit {
  readonly what: string;
}

/** Any of these requests, whole or cut somewhere, and any way to hang up. */
export function abruptVisits(requests: Readonly<Record<string, Buffer>>): fc.Arbitrary<NamedVisit> {
  const shares = fc.integer({ min: 0, max: 1000 });
  return fc
    .record({
      what: fc.constantFrom(...Object.keys(requests)),
      cut: fc.oneof(fc.constant(1000), shares),
      parted: fc.oneof(fc.constant(0), shares),
      when: fc.oneof(fc.constantFrom('at once' as const, 'answered' as const), fc.nat({ max: 6 })),
      ending: fc.constantFrom('rst' as const, 'rst' as const, 'fin' as const, 'destroy' as const),
      isDeaf: fc.boolean(),
    })
    .map(({ what, cut, parted, ...visit }) => {
      const whole = requests[what] ?? Buffer.alloc(0);
      const bytes = whole.subarray(0, Math.round((whole.length * cut) / 1000));
      const told = { what, of: whole.length, cut: bytes.length };
      return { ...visit, what: JSON.stringify(told), bytes, partedAt: Math.round((bytes.length * parted) / 1000) };
    });
}
