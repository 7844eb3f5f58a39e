import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { boundConnections } from './bound-connections.js';

const server = createServer((_request, response) => response.end('served'));
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** What comes back for a request on a connection of its own, which stays open. */
async function asked(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  return Promise.race([once(socket, 'data').then(String), once(socket, 'close').then(() => 'hung up')]);
}

test('whoever connects beyond the bound is hung up on, told of once, and let in when another has gone', async () => {
  const warn = vi.fn<(message: string) => void>();
  boundConnections(server, 2, warn);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served = expect.stringContaining('served');
  expect([await asked(port), await asked(port), await asked(port), await asked(port)]).toEqual([served, served, 'hung up', 'hung up']);
  expect(warn).toHaveBeenCalledTimes(1);
  sockets[0]?.destroy();
  await vi.waitFor(async () => expect(await asked(port)).toEqual(served), 20_000);
});
