import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '@portcullis/contracts/errors';

/** Requests that may wait on one connection behind one in progress. Hardly any client pipelines at all. */
const WAITING_MAX = 16;

const waiting = new WeakMap<Socket, number>();

/**
 * Refuses (`limit.rate`) what is pipelined beyond a few requests, and everything behind it on that connection, which ends with the refusal. A request
 * that came alone costs nothing here.
 */
export function limitPipelining(socket: Socket, response: ServerResponse): void {
  // Node gives an answer its connection when it is its turn: none yet means that another answer is not finished.
  if (response.socket !== null) return;
  const before = waiting.get(socket) ?? 0;
  if (before >= WAITING_MAX) {
    waiting.set(socket, Infinity);
    response.shouldKeepAlive = false;
    throw new GatewayError('limit.rate', { pipelined: true });
  }
  waiting.set(socket, before + 1);
  response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
}
