import { once } from 'node:events';
import { createServer, request as sendRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openBody } from './open-body.js';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A request whose body the test writes, as the server sees it. */
async function receive(first: string) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sender = sendRequest({ port: (server.address() as AddressInfo).port, method: 'POST' });
  sender.on('error', () => undefined);
  closers.push(() => {
    sender.destroy();
    server.closeAllConnections();
    server.close();
  });
  const received = once(server, 'request') as Promise<[IncomingMessage]>;
  sender.write(first);
  return { sender, request: (await received)[0] };
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

test('a body is read to its end', async () => {
  const { sender, request } = await receive('one ');
  sender.end('two');
  expect(await readAll(openBody(request).chunks)).toBe('one two');
});

test('a sender that falls silent is not waited for', async () => {
  const { request } = await receive('one');
  await expect(readAll(openBody(request, 50).chunks)).rejects.toThrow('The sender sent nothing for 0.05 s.');
});

test('a sender is not taken for silent for what it sent while this process stood still', async () => {
  const { sender, request } = await receive('one ');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const reading = readAll(openBody(request, 50).chunks);
    reading.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve)); // reads what has come
    vi.advanceTimersByTime(50);
    await new Promise((resolve) => setImmediate(resolve)); // it has been silent since
    sender.write('two');
    await new Promise<void>((resolve) => process.nextTick(resolve)); // sent, and not read
    vi.advanceTimersByTime(50);
    sender.end();
    expect(await reading).toBe('one two');
  } finally {
    vi.useRealTimers();
  }
});

test('a sender that goes away is noticed', async () => {
  const { sender, request } = await receive('one');
  const reading = readAll(openBody(request).chunks);
  sender.destroy();
  await expect(reading).rejects.toThrow('The sender went away before the end.');
});

test('a sender whose bytes are not taken is not silent, and is held back', async () => {
  const { sender, request } = await receive('x');
  const size = 64 * 1024 * 1024;
  sender.end(Buffer.alloc(size));
  const { chunks } = openBody(request, 400);
  const seen = once(request, 'pause');
  await seen;
  await new Promise((resolve) => setTimeout(resolve, 1300)); // several times the silence that would end it
  expect((chunks as unknown as { readableLength: number }).readableLength).toBeLessThan(1024 * 1024);
  expect((await readAll(chunks)).length).toBe(size + 1);
});
