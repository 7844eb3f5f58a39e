import type { FastifyInstance } from 'fastify';

/** Bodies are `application/json` or refused (415); `__proto__` and its like in them are refused, and an empty body is no body. */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients that always name the type send it with bodiless requests too.
    if (body === '') done(null, undefined);
    else void parse(request, body.toString(), done);
  });
}
