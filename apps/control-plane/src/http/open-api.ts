import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { problemTable } from '@portcullis/contracts/errors';
import { Problem } from '@portcullis/contracts/api/conventions';
import { z } from 'zod';

export const OPEN_API_PATH = '/v1/openapi.json';
export const DOCS_PATH = '/docs';

/** Serves the OpenAPI document and a page to browse it, from this process alone. */
export function serveOpenApi(app: NestFastifyApplication): void {
  const builder = new DocumentBuilder()
    .setTitle('Portcullis control plane')
    .setDescription(
      'What operators and auditors do: servers, agents, grants, policy, audit. Errors are RFC 9457 problem documents; lists are keyset-paged.',
    )
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'op_<id>_<secret>' }, 'operator');
  const document = withProblems(SwaggerModule.createDocument(app, builder.build()));
  SwaggerModule.setup(DOCS_PATH, app, document, {
    jsonDocumentUrl: OPEN_API_PATH,
    raw: ['json'],
    customSiteTitle: 'Portcullis REST',
    swaggerOptions: { validatorUrl: null },
  });
}

const everyRouteAnswers = ['validation', 'unauthenticated', 'forbidden', 'not_found', 'internal'] as const;
const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Names the problem document in every operation, which is the same for all of them. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  const schemas = ((document.components ??= {}).schemas ??= {});
  const { $schema: _dialect, ...problem } = z.toJSONSchema(Problem);
  Object.assign(schemas, { Problem: problem });
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  for (const path of Object.values(document.paths)) {
    for (const operation of methods.flatMap((method) => path[method] ?? [])) {
      for (const key of everyRouteAnswers)
        operation.responses[String(problemTable[key].status)] ??= { description: problemTable[key].title, content };
    }
  }
  return document;
}
