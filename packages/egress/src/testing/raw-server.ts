import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A server on loopback that says what it is told to, byte by byte. */
export interface RawServer {
  readonly port: number;
  /** Every request that came, as text, and on which connection, counted from 0. */
  readonly requests: { readonly connection: number; readonly text: string }[];
  close(): Promise<void>;
}

/** `answer` is called for each piece that comes, with what came so far on that connection since the last answer. */
export async function startRawServer(answer: (socket: Socket, text: string, count: number) => void): Promise<RawServer> {
  const requests: RawServer['requests'] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = connections;
    connections += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      requests.push({ connection, text: bytes.toString() });
      answer(socket, bytes.toString(), requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  return { port: (server.address() as AddressInfo).port, requests, close };
}
