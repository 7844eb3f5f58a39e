import type { FastifyInstance } from 'fastify';

export const YAML_TYPE = 'application/yaml';

/** On this one route a body may be YAML (RFC 9512), of so many bytes; its text is handed on as it is. Elsewhere it is refused (415) like every other type. */
export function acceptYaml(fastify: FastifyInstance, path: string, bytesMax: number): void {
  fastify.addContentTypeParser(YAML_TYPE, { parseAs: 'string', bodyLimit: bytesMax }, (request, body, done) => {
    if (request.routeOptions.url === path) done(null, body.toString());
    else done(Object.assign(new Error('No YAML here'), { statusCode: 415 }));
  });
}
