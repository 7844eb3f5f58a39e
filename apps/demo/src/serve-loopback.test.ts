import { request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

let server: RunningServer;

beforeAll(async () => {
  const handle = async (_: unknown, response: ServerResponse): Promise<void> => {
    response.end('reached');
  };
  server = await serveLoopback({ handle, close: async () => {} }, 0);
});
afterAll(() => server.close());

const statusOf = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(new URL(path, server.url), { headers }, (answer) => resolve(answer.resume().statusCode));
    sent.on('error', reject).end();
  });

test('lets a request to a loopback name through', async () => {
  expect(await statusOf('/mcp', {})).toBe(200);
  expect(await statusOf('/mcp', { host: 'localhost:1', origin: 'http://localhost:5173' })).toBe(200);
});

test('refuses a foreign Host, as a rebound name would send it', async () => {
  expect(await statusOf('/mcp', { host: 'evil.example' })).toBe(403);
});

test('refuses a page of a foreign origin', async () => {
  expect(await statusOf('/mcp', { origin: 'https://evil.example' })).toBe(403);
});

test('answers its health check and nothing beyond', async () => {
  expect(await statusOf('/healthz', {})).toBe(200);
  expect(await statusOf('/', {})).toBe(404);
});

test('cannot be reached over another interface of this machine', async () => {
  const others = Object.values(networkInterfaces()).flatMap((found) =>
    (found ?? []).filter(({ internal, family }) => !internal && family === 'IPv4'),
  );
  for (const { address } of others) {
    const reached = await new Promise((resolve) => {
      const socket = connect(Number(new URL(server.url).port), address, () => resolve(true)).on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
    expect({ address, reached }).toEqual({ address, reached: false });
  }
});
