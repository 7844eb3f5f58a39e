import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

const REFUSAL = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/**
 * Cuts off whoever takes longer than `ms` to send a request. On routes in `except`, which read their bodies as they come, that begins with the answer:
 * what is sent behind a refusal is read by nobody.
 */
export function endSlowBodies(fastify: FastifyInstance, ms: number, except: ReadonlySet<string>): void {
  fastify.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    const isBodiless = raw.headers['transfer-encoding'] === undefined && Number(raw.headers['content-length'] ?? 0) === 0;
    if (isBodiless) return;
    const begin = (): void => {
      let late: NodeJS.Immediate | undefined;
      // What came while this process stood still is read first: nobody is cut off for what they have sent.
      const timer = setTimeout(() => (late = setImmediate(() => cutOff(raw, reply.raw))), ms);
      const clear = (): void => {
        clearTimeout(timer);
        clearImmediate(late);
      };
      raw.once('end', clear).once('close', clear);
    };
    if (!except.has(routeOptions.url ?? '')) return begin();
    reply.raw.once('finish', () => {
      if (!raw.complete) begin();
    });
  });
}

/** What was answered before its body came, as a refusal is, gets no second answer. */
function cutOff(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  if (response.writableEnded) request.destroy();
  else request.socket.end(REFUSAL, () => request.socket.destroy());
}
