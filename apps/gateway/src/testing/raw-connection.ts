import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test sends what no client would, and keeps all that comes back. */
export class RawConnection {
  received = '';
  isClosed = false;
  private readonly waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
      for (const look of this.waiting) look();
    });
    socket.on('close', () => {
      this.isClosed = true;
      for (const look of this.waiting) look();
    });
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection(connect(port, '127.0.0.1'));
    await once(connection.socket, 'connect');
    return connection;
  }

  /** All that came, once this came or the connection ended. */
  until(seen: RegExp | 'closed'): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.isClosed && (seen === 'closed' || !seen.test(this.received))) return;
        this.waiting.delete(look);
        resolve(this.received);
      };
      this.waiting.add(look);
      look();
    });
  }
}
