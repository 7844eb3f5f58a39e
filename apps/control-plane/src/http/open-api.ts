import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { withConventions } from './open-api-conventions.js';

const OPEN_API_PATH = '/v1/openapi.json';
const DOCS_PATH = '/docs';

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
  const document = withConventions(SwaggerModule.createDocument(app, builder.build()));
  SwaggerModule.setup(DOCS_PATH, app, document, {
    jsonDocumentUrl: OPEN_API_PATH,
    raw: ['json'],
    customSiteTitle: 'Portcullis REST',
    swaggerOptions: { validatorUrl: null },
  });
}
