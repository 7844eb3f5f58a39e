import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createEgress } from '@portcullis/egress';
import { whateverWasUncaught } from '@portcullis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { discoverServer } from './discover-server.js';

const RUNS = 400;
const DEEP = '['.repeat(20_000) + ']'.repeat(20_000);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
const open = new Set<Socket>();
const server = createServer({ noDelay: true }, (socket) => take(socket));
const drawn: { conduct: Conduct; asked: number }[] = [];

interface Conduct {
  readonly answer: keyof typeof ANSWERS;
  /** How many requests are answered as they should be before. */
  readonly sound: number;
  /** How much of the answer is given, in thousandths. */
  readonly given: number;
  readonly turns: number;
  readonly ending: 'fin' | 'rst' | 'destroy';
}

const head = (type: string, more = ''): string => `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nmcp-session-id: s\r\n${more}`;
const json = (text: string): string => `${head('application/json')}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
const stream = (...messages: string[]): string => {
  const events = messages.map((message) => `id: 1\nretry: 1\ndata: ${message}\n\n`).join('');
  return `${head('text/event-stream', 'transfer-encoding: chunked\r\n\r\n')}${Buffer.byteLength(events).toString(16)}\r\n${events}\r\n0\r\n\r\n`;
};
const said = (id: string, result: string): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
const ANSWERS = {
  json: (id: string, result: string) => json(said(id, result)),
  stream: (id: string, result: string) => stream(said(id, result)),
  'a stream that breaks off': () => stream('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}'),
  'not JSON': (id: string) => json(`{"jsonrpc":"2.0","id":${id},"result":{x}}`),
  'a stream of what is not JSON': (id: string) => stream(`{"jsonrpc":"2.0","id":${id},"result":{x}}`),
  deep: (id: string) => json(said(id, `{"tools":${DEEP},"capabilities":{"x":${DEEP}}}`)),
  'a deep error': (id: string) => stream(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":"no","data":${DEEP}}}`),
  'a deep question': (id: string, result: string) => stream(`{"jsonrpc":"2.0","id":9,"method":"x","params":{"x":${DEEP}}}`, said(id, result)),
  'a question': (id: string, result: string) => stream('{"jsonrpc":"2.0","id":9,"method":"roots/list"}', said(id, result)),
  'a ping': (id: string, result: string) => stream('{"jsonrpc":"2.0","id":9,"method":"ping"}', said(id, result)),
  'deep progress': (id: string, result: string) =>
    stream(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":${DEEP}}}`, said(id, result)),
  'nobody’s answer': (id: string, result: string) => stream(said('77', result), said(id, result), said(id, result)),
  'news of lists': (id: string, result: string) => stream('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}', said(id, result)),
  refused: () => 'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer resource_metadata="x"\r\ncontent-length: 3\r\n\r\nno.',
  'not found': () => 'HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno.',
  moved: () => 'HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 3\r\n\r\nno.',
  nonsense: () => '\x15\x03\x01',
};

const conducts: fc.Arbitrary<Conduct> = fc.record({
  answer: fc.constantFrom(...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[])),
  sound: fc.nat({ max: 4 }),
  given: fc.oneof(fc.constant(1000), fc.integer({ min: 0, max: 1000 })),
  turns: fc.nat({ max: 5 }),
  ending: fc.constantFrom('rst' as const, 'fin' as const, 'destroy' as const),
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  for (const socket of open) socket.destroy();
  server.close();
  await egress.close();
});

function take(socket: Socket): void {
  open.add(socket);
  socket.on('close', () => open.delete(socket)).on('error', () => undefined);
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (end < 0 || received.length < end + 4 + length) return;
    const request = received;
    received = '';
    void answer(socket, request);
  });
}

async function answer(socket: Socket, request: string): Promise<void> {
  const isSse = request.startsWith('GET /sse');
  const one = drawn[Number(/^\w+ \/\w+\/(\d+)/.exec(request)?.[1])];
  if (one === undefined) return void socket.destroy();
  one.asked += 1;
  const { conduct, asked } = one;
  const id = /"id":("[^"]*"|\d+)/.exec(request)?.[1];
  const result =
    '{"protocolVersion":"2025-11-25","supportedVersions":["2026-07-28"],"serverInfo":{"name":"x","version":"1"},"capabilities":{"tools":{}},"tools":[],"resultType":"complete"}';
  if (id === undefined && !isSse) return void socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  const sound = conduct.sound >= asked;
  const whole = Buffer.from(
    isSse
      ? `${head('text/event-stream')}\r\nevent: endpoint\ndata: ${/ (\S+)/.exec(request)?.[1]}\n\n`
      : ANSWERS[sound ? 'json' : conduct.answer](id ?? '0', result),
  );
  socket.write(sound ? whole : whole.subarray(0, Math.round((whole.length * conduct.given) / 1000)));
  if (sound) return;
  for (let turn = 0; turn < conduct.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (conduct.ending === 'fin') socket.end();
  else if (conduct.ending === 'rst' && !socket.writableEnded) socket.resetAndDestroy();
  else socket.destroy();
}

/** Asks the server with this number, which never throws here. */
async function discover(at: number): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const isSse = at % 4 === 0;
  const protocol = (['auto', 'legacy', 'modern'] as const)[at % 3] ?? 'auto';
  const transport = isSse ? 'sse' : 'auto';
  const url = `http://127.0.0.1:${port}/${isSse ? 'sse' : 'mcp'}/${at}`;
  const target = { url, protocol, transport, knownEra: undefined } as const;
  await discoverServer(target, (address, init) => egress.fetch(address, init), new AbortController().signal).catch(() => undefined);
}

// All at once: who answers half is waited for.
test('whatever servers answer, and however they hang up, discovery is not ended', { timeout: 120_000 }, async () => {
  drawn.push(...fc.sample(conducts, RUNS).map((conduct) => ({ conduct, asked: 0 })));
  const uncaught = await whateverWasUncaught(async () => {
    await Promise.all(drawn.map((_, at) => discover(at)));
  });
  expect(uncaught).toEqual([]);
  expect(drawn.filter(({ asked }) => asked === 0)).toEqual([]);
});
