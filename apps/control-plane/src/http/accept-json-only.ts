import type { FastifyInstance } from 'fastify';
import { parseJson } from '@portcullis/mcp';

/** Bodies are `application/json` or refused (415); `__proto__` and its like in them are refused, and an empty body is no body. */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients that always name the type send it with bodiless requests too.
    if (body === '') done(null, undefined);
    else void parse(request, withPlainNames(body.toString()), done);
  });
}

/** The same JSON with no name escaped that need not be: the engine may take such a name for one that somebody else wrote. What is no JSON stays as it is. */
function withPlainNames(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return JSON.stringify(parseJson(text));
  } catch {
    return text;
  }
}
