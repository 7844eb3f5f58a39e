import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { listenLoopback } from '../testing/listen-loopback.js';
import { postMessage } from './post-message.js';
import type { PostInFlight } from './upstream-post.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Step = (response: ServerResponse, request: IncomingMessage) => void;
const RETRY_MS = 30;
const answer = '{"jsonrpc":"2.0","id":"a","result":{}}';
const opensStream = (text: string, then: (response: ServerResponse) => void): Step => {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => then(response));
  };
};
const numbered = `id: 7\nretry: ${String(RETRY_MS)}\ndata:\n\n`;

/** Posts to a server that takes these steps, one for each request. */
async function post(steps: Step[], isInSession = true) {
  const resumeHeaders = isInSession ? ['mcp-session-id', 's'] : undefined;
  const requests: { method: string | undefined; headers: IncomingMessage['headers']; at: number }[] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method, headers: request.headers, at: performance.now() });
    request.resume();
    (steps[requests.length - 1] ?? ((none) => none.writeHead(500).end()))(response, request);
  });
  const { url, close } = await listenLoopback(server);
  const pool = new Pool(url);
  closers.push(async () => {
    await pool.destroy();
    await close();
  });
  const limits = { firstByteTimeoutMs: 20_000, totalTimeoutMs: 25_000, resultBytesMax: 4096 };
  const isAnswer = (message: string): boolean => message === answer;
  const inFlight: PostInFlight = postMessage(pool, { path: '/', headers: [], body: '{}', ...limits, isAnswer, onMessage: () => true, resumeHeaders });
  return { inFlight, requests };
}

test.each([
  ['ends', (response: ServerResponse) => void response.end()],
  ['breaks', (response: ServerResponse) => void response.destroy()],
])('a stream that %s before its answer is gone on with by GET, no sooner than its server asks, and nothing is called again', async (_how, stop) => {
  const { inFlight, requests } = await post([opensStream(numbered, stop), opensStream(`id: 8\ndata: ${answer}\n\n`, (response) => response.end())]);
  expect((await inFlight.answer).message).toBe(answer);
  expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  expect(requests[1]?.headers).toMatchObject({ 'last-event-id': '7', 'mcp-session-id': 's', accept: 'text/event-stream' });
  expect((requests[1]?.at ?? 0) - (requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(RETRY_MS - 1);
});

test('it is gone on with as often as it breaks off, from where it was last', async () => {
  const again = opensStream('id: 9\nretry: 1\ndata:\n\n', (response) => response.end());
  const silent = opensStream(': nothing new\n\nretry: 1\n\n', (response) => response.end());
  const last = opensStream(`data: ${answer}\n\n`, (response) => response.end());
  const { inFlight, requests } = await post([opensStream(numbered, (response) => response.end()), again, silent, last]);
  expect((await inFlight.answer).message).toBe(answer);
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '7', '9', '9']);
});

test.each([
  ['without an event id', opensStream('data:\n\n', (response) => response.end()), true],
  ['of a server without sessions', opensStream(numbered, (response) => response.end()), false],
])('a stream %s that ends early is a fault of its server', async (_which, step, isInSession) => {
  const { inFlight, requests } = await post([step], isInSession);
  await expect(inFlight.answer).rejects.toMatchObject({ code: 'upstream.protocol' });
  expect(requests).toHaveLength(1);
});

test('a server that does not go on with its stream has failed', async () => {
  const { inFlight } = await post([opensStream(numbered, (response) => response.end()), (response) => response.writeHead(404).end()]);
  await expect(inFlight.answer).rejects.toMatchObject({ code: 'upstream.protocol' });
});
