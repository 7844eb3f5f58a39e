import type { FastifyInstance } from 'fastify';

/** RFC 9512. */
export const YAML_TYPE = 'application/yaml';

export interface TextRoute {
  readonly type: string;
  readonly path: string;
  readonly bytesMax: number;
}

/** On this one route a body may be of this type, of so many bytes; its text is handed on as it is. Elsewhere it is refused (415) like every other type. */
export function acceptText(fastify: FastifyInstance, { type, path, bytesMax }: TextRoute): void {
  fastify.addContentTypeParser(type, { parseAs: 'string', bodyLimit: bytesMax }, (request, body, done) => {
    if (request.routeOptions.url === path) done(null, body.toString());
    else done(Object.assign(new Error('Not here'), { statusCode: 415 }));
  });
}
