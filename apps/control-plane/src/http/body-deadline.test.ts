import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fastify } from 'fastify';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { endSlowBodies } from './body-deadline.js';

const DEADLINE_MS = 200;
const app = fastify();
let port: number;
let standStill = (): void => undefined;

beforeAll(async () => {
  endSlowBodies(app, DEADLINE_MS, new Set(['/streamed', '/streamed/refused']));
  app.post('/', async ({ body }) => ({ read: body }));
  app.post('/stood-still', { onRequest: async () => standStill() }, async ({ body }) => ({ read: body }));
  app.post('/refused', { preParsing: async (_request, reply) => reply.code(401).send('no') }, async () => 'never');
  app.post('/streamed/refused', { preParsing: async (_request, reply) => reply.code(401).send('no') }, async () => 'never');
  app.post('/streamed', async ({ body }) => ({ read: body }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(() => app.close());

/** A connection that says this and stays open. */
function say(words: string): { socket: Socket; heard: () => string } {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (more: string) => (heard += more));
  socket.write(words);
  return { socket, heard: () => heard };
}

const head = (path: string, bytes: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;

test('whoever does not finish a request in time is told and cut off, and nobody else is', async () => {
  // Both are older than the one that is cut off, so their time would have passed before.
  const prompt = say(`${head('/', 4)}true`);
  const streaming = say(`${head('/streamed', 4)}t`);
  await vi.waitFor(() => expect(prompt.heard()).toContain('{"read":true}'), 10_000);
  const slow = connect(port, '127.0.0.1');
  slow.write(`${head('/', 4)}t`);
  const answer = await text(slow); // ends only because the server ends it
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('connection: close');
  const chunked = connect(port, '127.0.0.1');
  chunked.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\nt\r\n');
  expect(await text(chunked)).toMatch(/^HTTP\/1\.1 408 /);
  streaming.socket.write('rue');
  await vi.waitFor(() => expect(streaming.heard()).toContain('{"read":true}'), 10_000);
  prompt.socket.write(`${head('/', 5)}false`);
  await vi.waitFor(() => expect(prompt.heard()).toContain('{"read":false}'), 10_000);
  prompt.socket.destroy();
  streaming.socket.destroy();
});

test('nobody is cut off for what they sent while this process stood still', async () => {
  const sender = say(`${head('/stood-still', 4)}t`);
  standStill = () => {
    sender.socket.write('rue');
    for (const end = performance.now() + DEADLINE_MS * 1.5; performance.now() < end;);
  };
  await vi.waitFor(() => expect(sender.heard()).toContain('\r\n\r\n'), 10_000);
  expect(sender.heard()).toContain('{"read":true}');
  sender.socket.destroy();
});

test('what was refused before its body came gets no second answer', async () => {
  for (const path of ['/refused', '/streamed/refused']) {
    const refused = connect(port, '127.0.0.1');
    refused.write(`${head(path, 4)}t`);
    const answer = await text(refused);
    expect(answer, path).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).not.toContain('408');
  }
});
