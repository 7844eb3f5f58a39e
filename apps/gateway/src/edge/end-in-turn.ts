import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** Ends that are noticed in one turn of the event loop; each is some 50 µs of work, for which a call would wait. */
export const ENDING_MAX = 4;

const ended: Socket[] = [];

/**
 * Has it noticed in its turn that the other side has ended a connection: when a thousand agents are cut off at once, Node is told of all of them in one
 * turn of the event loop.
 */
export function endInTurn(socket: Socket): void {
  socket.push = pushInTurn;
}

/** What a socket does with what has come; its end is null. */
function pushInTurn(this: Socket, piece: unknown, encoding?: BufferEncoding): boolean {
  if (piece !== null) return push(this, piece, encoding);
  if (ended.length === 0) setImmediate(endSome);
  ended.push(this);
  return false;
}

function endSome(): void {
  for (const socket of ended.splice(0, ENDING_MAX)) {
    push(socket, null);
    socket.read(0); // as Node does behind the end, for sockets that nobody reads at that moment
  }
  if (ended.length > 0) setImmediate(endSome);
}

function push(socket: Socket, ...piece: [unknown, BufferEncoding?]): boolean {
  return Duplex.prototype.push.apply(socket, piece);
}
