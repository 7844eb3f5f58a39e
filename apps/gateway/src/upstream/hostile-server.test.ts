import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { freePort } from '@portcullis/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startRawServer, type RawServer } from '../testing/raw-server.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
/** The same for all of the hostile servers. */
let port: number;
let hostile: RawServer;
let friendly: ScriptedServer;
let server: GatewayServer;

const RESULT_BYTES_MAX = 100_000;

beforeAll(async () => {
  port = await freePort();
  [hostile, friendly] = await Promise.all([startRawServer(port), startScriptedServer()]);
  friendly.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: ['friendly'] } });
  const limits = { concurrency: 8, firstByteTimeoutMs: 20_000, totalTimeoutMs: 25_000, resultBytesMax: RESULT_BYTES_MAX };
  const servers = [
    aServer('hostile', [aTool('run')], { url: hostile.url, era: 'modern', limits }),
    // The same one for those who wait for nothing long.
    aServer('hanging', [aTool('run')], { url: hostile.url, era: 'modern', limits: { ...limits, firstByteTimeoutMs: 1500, totalTimeoutMs: 4000 } }),
    aServer('friendly', [aTool('run')], { url: friendly.url, era: 'modern', limits }),
  ];
  live.snapshot = aSnapshot({ servers, agents: [agent], grants: servers.map((one) => aGrant(agent, one)) });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await Promise.all([hostile.close(), friendly.close()]);
});
afterEach(async () => {
  hostile.answer = (socket, id) => socket.end(`${JSON_HEAD}content-length: ${String(answerTo(id).length)}\r\n\r\n${answerTo(id)}`);
  // So that one test's silence does not add to the next one's.
  await call('hostile');
  hostile.requests = 0;
  events.length = 0;
});

async function call(slug: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: `${slug}__run`, _meta: { progressToken: 1 } } }),
  });
  return response.text();
}

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const answerTo = (id: string): string => `{"jsonrpc":"2.0","id":"${id}","result":{"content":["hostile"]}}`;
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const event = (data: unknown): string => chunk(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);

/** Writes for ever, as fast as it is read. */
function flood(socket: Socket, piece: string): void {
  const more = (): void => {
    while (socket.writable && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

/** 50 MiB once it is inflated. */
const BOMB = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '));

type Misdeed = [what: string, reason: string, (socket: Socket, id: string) => void];

const misdeeds: Misdeed[] = [
  ['hangs after it accepted', 'timeout', () => undefined],
  ['hangs after its headers', 'timeout', (socket) => socket.write(`${JSON_HEAD}content-length: 50\r\n\r\n`)],
  ['hangs in its answer', 'timeout', (socket) => socket.write(`${JSON_HEAD}content-length: 50\r\n\r\n{"jsonrpc"`)],
  ['hangs in its stream', 'timeout', (socket) => socket.write(STREAM_HEAD + chunk(': hi\n\n'))],
  [
    'drips for ever',
    'timeout',
    (socket) => {
      socket.write(`${JSON_HEAD}content-length: 5000\r\n\r\n{`);
      const timer = setInterval(() => socket.write(' '), 200);
      socket.on('close', () => clearInterval(timer));
    },
  ],
  ['resets the connection', 'cut', (socket) => socket.resetAndDestroy()],
  ['resets in its answer', 'cut', (socket) => socket.write(`${JSON_HEAD}content-length: 5000\r\n\r\n{"jsonrpc"`, () => socket.resetAndDestroy())],
  ['resets in its stream', 'cut', (socket) => socket.write(STREAM_HEAD + event({}), () => socket.resetAndDestroy())],
  ['says it sends more than it does', 'cut', (socket, id) => socket.end(`${JSON_HEAD}content-length: 900\r\n\r\n${answerTo(id)}`)],
  ['says it sends less than it does', 'protocol', (socket, id) => socket.end(`${JSON_HEAD}content-length: 9\r\n\r\n${answerTo(id)}`)],
  ['says two lengths', 'protocol', (socket, id) => socket.end(`${JSON_HEAD}content-length: 9\r\ncontent-length: 8\r\n\r\n${answerTo(id)}`)],
  ['is not HTTP', 'protocol', (socket) => socket.end('SSH-2.0-OpenSSH_9\r\n')],
  ['answers with a page', 'protocol', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<h1>')],
  ['answers with nothing', 'protocol', (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n')],
  ['sends us elsewhere', 'protocol', (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n')],
  [
    'compresses',
    'protocol',
    (socket) => {
      socket.write(`${JSON_HEAD}content-encoding: gzip\r\ncontent-length: ${String(BOMB.length)}\r\n\r\n`);
      socket.write(BOMB);
    },
  ],
  ['announces too much', 'too_large', (socket) => socket.write(`${JSON_HEAD}content-length: 1000000\r\n\r\n`)],
  [
    'sends too much',
    'too_large',
    (socket) => flood(socket.resume(), socket.write(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`) ? chunk(' '.repeat(9000)) : ''),
  ],
  ['sends a line without end', 'too_large', (socket) => flood(socket, socket.write(STREAM_HEAD) ? chunk('x'.repeat(9000)) : '')],
  ['sends comments without end', 'too_large', (socket) => flood(socket, socket.write(STREAM_HEAD) ? chunk(': x\n\n'.repeat(2000)) : '')],
  [
    'sends notifications without end',
    'too_large',
    (socket) => flood(socket, socket.write(STREAM_HEAD) ? event({ jsonrpc: '2.0', method: 'notifications/x', params: { x: 'x'.repeat(900) } }) : ''),
  ],
  [
    'answers another request',
    'protocol',
    (socket) => socket.end(`${JSON_HEAD}content-length: ${String(answerTo('x').length)}\r\n\r\n${answerTo('x')}`),
  ],
  ['answers only other requests', 'protocol', (socket) => socket.end(STREAM_HEAD + event(answerTo('a')) + event(answerTo('b')) + chunk(''))],
  ['asks instead of answering', 'protocol', (socket, id) => socket.end(STREAM_HEAD + event({ jsonrpc: '2.0', id, method: 'ping' }) + chunk(''))],
  ['splits a header', 'protocol', (socket) => socket.end('HTTP/1.1 200 OK\r\nx: a\n\rb: c\r\n\r\n{}')],
  ['sends headers without end', 'protocol', (socket) => flood(socket, socket.write('HTTP/1.1 200 OK\r\n') ? `x: ${'y'.repeat(5000)}\r\n` : '')],
];

describe('a server that', () => {
  test.each(misdeeds)('%s costs its caller a typed error, is asked once, and troubles nobody else', async (_what, reason, answer) => {
    hostile.answer = answer;
    const slug = reason === 'timeout' ? 'hanging' : 'hostile';
    const own = call(slug);
    await vi.waitFor(() => expect(hostile.requests).toBe(1), 10_000);
    expect(await call('friendly')).toContain('friendly');
    const text = await own;
    const last = text.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({ id: 7, error: { code: -32603, data: { reason } } });
    expect(hostile.requests).toBe(1);
    expect(events.filter((one) => one.server === slug).map(({ phase }) => phase)).toEqual(['intent', 'outcome']);
  });

  test('answers twice is heard once', async () => {
    hostile.answer = (socket, id) => socket.end(STREAM_HEAD + event(answerTo('other')) + event(answerTo(id)) + event(answerTo(id)) + chunk(''));
    const text = await call('hostile');
    expect(text.match(/"content"/g)).toHaveLength(1);
  });

  test('has a thousand things to say before its answer is read to the end', async () => {
    hostile.answer = (socket, id) => {
      const notification = event({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: id, progress: 1 } });
      socket.end(STREAM_HEAD + notification.repeat(1100) + event(answerTo(id)) + chunk(''));
    };
    const text = await call('hostile');
    expect(text.match(/"progress":1/g)).toHaveLength(1100);
    expect(text).toContain('"content":["hostile"]');
  });
});

/** Waits until a connection to the hostile server was tried, in vain. */
function connectionRefused(): Promise<void> {
  const channel = 'net.client.socket';
  return new Promise((resolve) => {
    const onSocket = (opened: unknown): void => {
      (opened as { socket: Socket }).socket.once('error', (error: NodeJS.ErrnoException & { port?: number }) => {
        if (error.code !== 'ECONNREFUSED' || error.port !== port) return;
        unsubscribe(channel, onSocket);
        resolve();
      });
    };
    subscribe(channel, onSocket);
  });
}

describe('a server that is not there', () => {
  test('is spared after five calls, refused without delay, and asked again once it is back', async () => {
    await hostile.close();
    for (let at = 0; at < 5; at += 1) expect(await call('hostile')).toContain('"reason":"unreachable"');
    events.length = 0;
    expect(await call('hostile')).toContain('"reason":"suspended"');
    expect(gateway.upstreams.suspended).toBe(1);
    expect(events.map(({ phase, reason }) => `${phase} ${reason ?? ''}`)).toEqual(['single upstream.suspended']);
    expect(await call('friendly')).toContain('friendly');
    hostile = await startRawServer(port);
    hostile.answer = (socket, id) => socket.end(`${JSON_HEAD}content-length: ${String(answerTo(id).length)}\r\n\r\n${answerTo(id)}`);
    await vi.waitFor(async () => expect(await call('hostile')).toContain('"hostile"'), { timeout: 20_000, interval: 100 });
    expect(gateway.upstreams.suspended).toBe(0);
  });

  test('for a moment only is tried once more, since nothing was sent', async () => {
    await hostile.close();
    const answer = call('hostile');
    await connectionRefused();
    hostile = await startRawServer(port);
    hostile.answer = (socket, id) => socket.end(`${JSON_HEAD}content-length: ${String(answerTo(id).length)}\r\n\r\n${answerTo(id)}`);
    expect(await answer).toContain('"hostile"');
    expect(hostile.requests).toBe(1);
    expect(events.map(({ phase, retries }) => [phase, retries])).toEqual([
      ['intent', null],
      ['outcome', 1],
    ]);
  });
});
