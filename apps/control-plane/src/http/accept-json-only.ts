import type { FastifyInstance } from 'fastify';
import { parseJson } from '@portcullis/mcp';

/** Bodies are `application/json` or refused (415); `__proto__` and its like in them are refused, and an empty body is no body. */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    const read = text.includes('\\') ? readNames(text) : undefined;
    // Clients that always name the type send it with bodiless requests too.
    if (text === '') done(null, undefined);
    else if (read === undefined) void parse(request, text, done);
    else void parse(request, read.plain, (error) => done(error, read.value));
  });
}

/**
 * What a text with escapes says, and the same with no name escaped that need not be, for who looks for names that are refused: the engine may take an
 * escaped name for one that somebody else wrote. Undefined for what is no JSON, or too deep to be written again.
 */
function readNames(text: string): { value: unknown; plain: string } | undefined {
  try {
    const value = parseJson(text);
    return { value, plain: JSON.stringify(value) };
  } catch {
    return undefined;
  }
}
