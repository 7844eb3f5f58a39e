import type { FastifyInstance } from 'fastify';

/** Answers hold policy, keys shown once and audit records: no cache on the way may keep one, and no browser may guess its type. */
export function keepPrivate(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
  });
}
