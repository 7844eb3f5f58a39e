import type { FastifyInstance } from 'fastify';

/** What the page of the API's description needs, which comes from this process alone. No other answer is a page, and nothing may be one. */
const OF_DOCS =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OF_DATA = "default-src 'none'; frame-ancestors 'none'";

/** Answers hold policy, keys shown once and audit records: no cache on the way may keep one, and no browser may guess its type or run what is in it. */
export function keepPrivate(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('content-security-policy', request.url.startsWith('/docs') ? OF_DOCS : OF_DATA);
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
  });
}
