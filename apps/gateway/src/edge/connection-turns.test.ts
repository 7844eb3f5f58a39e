import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { makeAuthority } from '@portcullis/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectionTurns, TURN_MS } from './connection-turns.js';

/** What begins at once, and at each turn. */
const SOME = 8;
const CROWD = 40;
const BODY_BYTES = 16_000_000;

let server: Server;
let turns: ConnectionTurns;
let clients: Socket[];
/** Where those came from whose connections have begun. */
let begun: string[];
let arrived: number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  [begun, clients, arrived] = [[], [], 0];
  server = createServer((request, response) => response.end(request.url));
  server.on('connection', ({ remoteAddress }) => begun.push(remoteAddress ?? ''));
  turns = new ConnectionTurns(server, (SOME * 1000) / TURN_MS);
  server.on('connection', () => (arrived += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  vi.useRealTimers();
  for (const client of clients) client.destroy();
  turns.close();
  server.close();
});

/** Connections that the server knows of when it resolves. */
async function come(count: number, localAddress = '127.0.0.1'): Promise<Socket[]> {
  const all = arrived + count;
  const port = (server.address() as AddressInfo).port;
  const come = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
  for (const client of come) client.on('error', () => undefined);
  clients.push(...come);
  while (arrived < all) await once(server, 'connection');
  return come;
}

test('F37: of a crowd a few connections begin at each turn, and one that comes alone begins at once', async () => {
  await come(CROWD);
  const counts = [begun.length];
  while (turns.size > 0) {
    vi.advanceTimersByTime(TURN_MS);
    counts.push(begun.length);
  }
  expect(counts).toEqual([8, 16, 24, 32, 40]);
  vi.advanceTimersByTime(2 * TURN_MS);
  await come(1);
  expect(begun).toHaveLength(CROWD + 1);
});

test('F37: a source that comes alone is not behind the crowd of another', async () => {
  await come(CROWD);
  await come(1, '127.0.0.2');
  expect(begun).not.toContain('127.0.0.2');
  vi.advanceTimersByTime(TURN_MS);
  expect(begun).toContain('127.0.0.2');
  expect(begun).toHaveLength(2 * SOME);
});

test('F37: of those that wait nothing is read, and what they sent is answered when they have had their turn', async () => {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  const crowd = await come(CROWD);
  const requests = crowd.map((_, at) => `GET /${String(at)} HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n`);
  const answers = crowd.map((client) => text(client));
  await Promise.all(crowd.map((client, at) => new Promise((resolve) => client.write(requests[at] ?? '', resolve))));
  await Promise.all(answers.slice(0, SOME));
  expect(sockets.slice(SOME).map(({ bytesRead }) => bytesRead)).toEqual(crowd.slice(SOME).map(() => 0));
  while (turns.size > 0) vi.advanceTimersByTime(TURN_MS);
  expect((await Promise.all(answers)).map((answer) => answer.split('\r\n\r\n')[1])).toEqual(crowd.map((_, at) => `/${String(at)}`));
});

test('F37: whoever is refused while waiting takes nobody’s turn', async () => {
  server.on('connection', (socket: Socket) => {
    if (arrived > SOME && arrived <= 3 * SOME) socket.destroy();
  });
  await come(CROWD);
  vi.advanceTimersByTime(TURN_MS);
  expect(begun).toHaveLength(2 * SOME);
  vi.advanceTimersByTime(TURN_MS);
  expect(begun).toHaveLength(CROWD - 2 * SOME);
  expect(turns.size).toBe(0);
});

test('F41: those that wait when a node ends are hung up on', async () => {
  const crowd = await come(CROWD);
  const cut = crowd.slice(SOME).map((client) => once(client.resume(), 'close'));
  turns.close();
  await Promise.all(cut);
  expect(turns.size).toBe(0);
});

test('F37: over TLS a crowd begins at its turns too, and what nobody reads stays with whoever sent it', async () => {
  vi.useRealTimers();
  const authority = makeAuthority('Known');
  const heldBack: TLSSocket[] = [];
  const secure = createSecureServer(authority.issue('127.0.0.1'), (request, response) => {
    if (request.method === 'GET') response.end(request.url);
    else heldBack.push(request.socket as TLSSocket);
  });
  const secureTurns = new ConnectionTurns(secure, 1000);
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const { port } = secure.address() as AddressInfo;
  const open = (): Socket => connectSecurely({ port, host: '127.0.0.1', ca: authority.cert }).on('error', () => undefined);
  const get = async (path: string): Promise<string | undefined> => {
    const client = open();
    client.write(`GET ${path} HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n`);
    return (await text(client)).split('\r\n\r\n')[1];
  };
  const paths = Array.from({ length: CROWD }, (_, at) => `/${String(at)}`);
  expect(await Promise.all(paths.map(get))).toEqual(paths);

  const pushy = open();
  pushy.write(`POST / HTTP/1.1\r\nHost: local\r\nContent-Length: ${String(BODY_BYTES)}\r\n\r\n`);
  pushy.write(Buffer.alloc(BODY_BYTES));
  // Time enough for all of it, were it taken.
  for (let round = 0; round < 30; round += 1) await get('/');
  expect(heldBack.map(({ bytesRead }) => bytesRead < BODY_BYTES / 4)).toEqual([true]);
  pushy.destroy();
  secureTurns.close();
  secure.close();
});
