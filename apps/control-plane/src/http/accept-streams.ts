import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A body that its route reads itself, as it comes. */
export interface StreamedBody {
  readonly stream: IncomingMessage;
  /** As the sender named it, in lower case and without parameters. */
  readonly contentType: string;
}

// A name of our own, so that the parser that hands streams on is chosen whatever the sender calls the body.
const INNER_TYPE = 'application/vnd.portcullis.streamed';

const types = new WeakMap<object, string>();

const isStreamed = ({ method, routeOptions }: FastifyRequest, paths: ReadonlySet<string>): boolean =>
  method === 'POST' && paths.has(routeOptions.url ?? '');

/** On these routes a body of any type and length goes to the handler unread. Elsewhere nothing changes. */
export function acceptStreams(fastify: FastifyInstance, paths: ReadonlySet<string>): void {
  fastify.addHook('onRequest', async (request) => {
    if (!isStreamed(request, paths)) return;
    types.set(request.raw, (request.raw.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '');
    request.raw.headers['content-type'] = INNER_TYPE;
  });
  fastify.addContentTypeParser(INNER_TYPE, (request, payload, done) => {
    const contentType = types.get(request.raw);
    if (contentType !== undefined) done(null, { stream: payload, contentType } satisfies StreamedBody);
    else done(Object.assign(new Error('Nobody sends this type'), { statusCode: 415 }));
  });
}
