import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { discardBody } from './discard-body.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function serve(): Promise<string> {
  server = createServer((request, response) => {
    void discardBody(request).then(() => {
      response.shouldKeepAlive = false;
      response.writeHead(413).end('too large');
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a client that sends megabytes reads why it was refused, every time', async () => {
  const url = await serve();
  const body = Buffer.alloc(5_000_000, 'x');
  for (let round = 0; round < 20; round += 1) {
    const answer = await fetch(url, { method: 'POST', body });
    expect([answer.status, await answer.text()]).toEqual([413, 'too large']);
  }
});

test('a client that announces a body and sends none of it is answered all the same', async () => {
  const url = await serve();
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('x')) });
  const request: RequestInit & { duplex: 'half' } = { method: 'POST', body: endless, duplex: 'half' };
  await expect(fetch(url, request).then(({ status }) => status)).resolves.toBe(413);
});
