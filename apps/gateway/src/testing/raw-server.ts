import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A server below HTTP: it is told each request it got and writes whatever bytes a test says. */
export interface RawServer {
  readonly url: string;
  /** Requests that arrived whole. */
  requests: number;
  answer: (socket: Socket, id: string) => void;
  close(): Promise<void>;
}

export async function startRawServer(port = 0): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (head < 0 || received.length < head + 4 + length) return;
      const { id } = JSON.parse(received.slice(head + 4, head + 4 + length)) as { id?: string };
      received = '';
      raw.requests += 1;
      raw.answer(socket, id ?? '');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const raw: RawServer = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/mcp`,
    requests: 0,
    answer: (socket) => socket.destroy(),
    close,
  };
  return raw;
}
