import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listenLoopback } from '../testing/listen-loopback.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const MIB = 1024 * 1024;
const agent = anAgent('alice');
let stack: TestStack;
let http: Server;
let closeServer: () => Promise<void>;
let streamed = 0;
/** What the server had got rid of ten seconds after the reader stopped. */
let held = 0;

beforeAll(async () => {
  http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, params } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string; params: { name: string } };
      if (params.name === 'quick') {
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], resultType: 'complete' } }));
        return;
      }
      if (params.name === 'large') {
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: ['x'.repeat(40 * MIB)], resultType: 'complete' } }));
        return;
      }
      const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: id, message: 'x'.repeat(60_000) } };
      const event = `data: ${JSON.stringify(progress)}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = (): void => {
        while (response.writable && streamed < 100 * MIB) {
          streamed += event.length;
          if (!response.write(event)) return;
        }
      };
      response.on('drain', more);
      more();
    });
  });
  const { url, close } = await listenLoopback(http);
  closeServer = close;
  stack = await startTestStack(1);
  const limits = { concurrency: 64, firstByteTimeoutMs: 60_000, totalTimeoutMs: 120_000, resultBytesMax: 50 * MIB };
  const server = aServer('one', [aTool('stream'), aTool('large'), aTool('quick')], { url: `${url}/mcp`, era: 'modern', limits });
  await stack.publish({ servers: [server], agents: [agent], grants: [aGrant(agent, server)], settings });
});
afterAll(async () => {
  await stack.stop();
  await closeServer();
});

/** Calls a tool and reads nothing of the answer but its beginning. */
function callAndStall(tool: string): { socket: Socket; closed: Promise<void> } {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: `one__${tool}`, _meta: { progressToken: 1 } } });
  const port = Number(new URL(stack.urls[0] ?? '').port);
  const socket = connect(port, '127.0.0.1');
  const head = [
    'POST /mcp HTTP/1.1',
    `host: 127.0.0.1:${String(port)}`,
    `authorization: Bearer ${agent.token}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    `content-length: ${String(body.length)}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.once('data', () => socket.pause());
  const closed = new Promise<void>((resolve) => {
    // A paused socket is not told of its end: it asks by writing.
    let asked = 0;
    const ask = setInterval(() => {
      socket.write('\r\n');
      asked += 1;
      if (asked === 20) held = streamed;
    }, 500);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearInterval(ask);
        resolve();
      });
  });
  return { socket, closed };
}

test('who stops reading slows the server down, keeps nobody else waiting and is hung up on', { timeout: 90_000 }, async () => {
  const stalled = [callAndStall('stream'), callAndStall('large')];
  await vi.waitFor(() => expect(streamed).toBeGreaterThan(0), 10_000);
  const quick = await fetch(`${stack.urls[0] ?? ''}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'one__quick' } }),
  });
  expect(await quick.text()).toContain('complete');
  await Promise.all(stalled.map(({ closed }) => closed));
  // What went out fits the kernel's buffers on the way; the rest was never taken from the server.
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(30 * MIB);
  // The call itself goes on, since a legacy client that is gone has not cancelled; nothing holds the server back any more.
  await vi.waitFor(() => expect(streamed).toBeGreaterThanOrEqual(50 * MIB), { timeout: 20_000 });
});
