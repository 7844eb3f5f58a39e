import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { ENDING_MAX, endInTurn } from './end-in-turn.js';

const CROWD = 64;

test('F37: of a crowd whose connections end at once a few are cleared away in each turn of the event loop, and all in the end', async () => {
  const server = createServer((_request, response) => response.writeHead(200).flushHeaders());
  let turn = 0;
  const endedIn: number[] = [];
  server.on('connection', (socket: Socket) => {
    endInTurn(socket);
    socket.once('end', () => endedIn.push(turn));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = await Promise.all(
    Array.from({ length: CROWD }, async () => {
      const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: local\r\n\r\n'));
      await once(client, 'data');
      return client;
    }),
  );
  const closed = clients.map((client) => once(client, 'close'));
  let isOver = false;
  const count = (): void => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  for (const client of clients) client.end();
  await vi.waitFor(() => expect(endedIn).toHaveLength(CROWD), { timeout: 10_000 });
  isOver = true;
  const counts = Object.values(Object.groupBy(endedIn, String)).map((ends) => ends?.length ?? 0);
  expect(Math.max(...counts)).toBeLessThanOrEqual(ENDING_MAX);
  await Promise.all(closed);
  server.close();
});
