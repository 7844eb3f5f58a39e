import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { LoggerService } from '@nestjs/common';
import type { Metrics } from '@portcullis/boot';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { acceptJsonOnly } from './http/accept-json-only.js';
import { answerWhatIsTooLarge } from './http/answer-what-is-too-large.js';
import { keepPrivate } from './http/keep-private.js';
import { serveOpenApi } from './http/open-api.js';
import { ProblemFilter, refuseUrl } from './http/problem.filter.js';
import { RouteTable } from './http/route-table.js';
import { ValidationPipe } from './http/validation.pipe.js';

const BODY_BYTES_MAX = 1_048_576;

/** The REST server, ready to listen or to be injected into. `close()` ends everything it started. */
export async function createApp(config: Config, logger: LoggerService | false, metrics?: Metrics): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: BODY_BYTES_MAX, requestTimeout: 60_000, frameworkErrors: refuseUrl });
  const routes = new RouteTable();
  adapter.getInstance().addHook('onRoute', ({ method, url }) => routes.add(method, url));
  acceptJsonOnly(adapter.getInstance());
  answerWhatIsTooLarge(adapter.getInstance(), BODY_BYTES_MAX);
  keepPrivate(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config, metrics), adapter, {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(routes));
  serveOpenApi(app);
  await app.init();
  await adapter.getInstance().ready();
  return app;
}
