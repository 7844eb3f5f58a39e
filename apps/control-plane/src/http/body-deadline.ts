import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

const REFUSAL = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/** Cuts off whoever takes longer than `ms` to send a request, but on routes in `except`, which read their bodies as they come. */
export function endSlowBodies(fastify: FastifyInstance, ms: number, except: ReadonlySet<string>): void {
  fastify.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    const isBodiless = raw.headers['transfer-encoding'] === undefined && Number(raw.headers['content-length'] ?? 0) === 0;
    if (isBodiless || except.has(routeOptions.url ?? '')) return;
    const timer = setTimeout(() => cutOff(raw, reply.raw), ms);
    const clear = (): void => clearTimeout(timer);
    raw.once('end', clear).once('close', clear);
  });
}

/** What was answered before its body came, as a refusal is, gets no second answer. */
function cutOff(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  if (response.writableEnded) request.destroy();
  else request.socket.end(REFUSAL, () => request.socket.destroy());
}
