import type { Server, Socket } from 'node:net';
import { sourceOf } from '@portcullis/boot';

export const TURN_MS = 8;

/**
 * Has the connections of a crowd begin a few at a time, those of different sources in turn, so that agents who come back all at once take a part of a
 * node and not all of it; one that comes when there is no crowd begins at once. Nothing is read of those that wait. Who listened to connections of
 * `server` before this was made hears of each when it begins, and who does so afterwards when it comes.
 */
export class ConnectionTurns {
  /** By source, the one whose turn it is first. */
  private readonly waiting = new Map<string, Socket[]>();
  private readonly perTurn: number;
  private left: number;
  private timer: NodeJS.Timeout | undefined;
  private readonly begin: (socket: Socket) => void;

  constructor(server: Server, perSecondMax: number) {
    this.perTurn = this.left = Math.max(1, Math.round((perSecondMax * TURN_MS) / 1000));
    // Node takes this as an option, but not where a server is made for HTTP.
    const paused = server as Server & { pauseOnConnect: boolean };
    paused.pauseOnConnect = true;
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    this.begin = (socket) => {
      paused.pauseOnConnect = false; // TLS would begin what it reads in the clear as paused too, and read on for ever
      for (const listener of listeners) Reflect.apply(listener, server, [socket]);
      paused.pauseOnConnect = true;
      socket.resume();
    };
    server.on('connection', (socket: Socket) => this.take(socket));
  }

  /** How many wait for their turn. */
  get size(): number {
    let size = 0;
    for (const sockets of this.waiting.values()) size += sockets.length;
    return size;
  }

  /** Hangs up on those that wait. */
  close(): void {
    clearTimeout(this.timer);
    for (const sockets of this.waiting.values()) for (const socket of sockets) socket.destroy();
    this.waiting.clear();
  }

  private take(socket: Socket): void {
    if (socket.destroyed) return;
    this.timer ??= setTimeout(() => this.turn(), TURN_MS);
    if (this.left > 0) {
      this.left -= 1;
      this.begin(socket);
      return;
    }
    const source = sourceOf(socket.remoteAddress);
    const line = this.waiting.get(source);
    if (line === undefined) this.waiting.set(source, [socket]);
    else line.push(socket);
  }

  private turn(): void {
    this.timer = undefined;
    for (this.left = this.perTurn; this.left > 0; this.left -= 1) {
      const socket = this.next();
      if (socket === undefined) return;
      this.timer ??= setTimeout(() => this.turn(), TURN_MS);
      this.begin(socket);
    }
  }

  /** The first of the source whose turn it is, which goes to the end of the line. */
  private next(): Socket | undefined {
    for (const [source, sockets] of this.waiting) {
      const socket = sockets.shift();
      this.waiting.delete(source);
      if (sockets.length > 0) this.waiting.set(source, sockets);
      if (socket !== undefined && !socket.destroyed) return socket;
    }
    return undefined;
  }
}
