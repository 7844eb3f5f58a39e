import type { Server, Socket } from 'node:net';
import { sourceOf } from '@portcullis/boot';

/** Closes at once what one source opens beyond `max` connections, before anybody else hears of it, so that it leaves room for others. */
export function limitConnectionsPerSource(server: Server, max: number, onRefused: () => void): void {
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const source = sourceOf(socket.remoteAddress);
    const count = (open.get(source) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      onRefused();
      return;
    }
    open.set(source, count);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left > 0) open.set(source, left);
      else open.delete(source);
    });
  });
}
