import 'reflect-metadata';
import { Server } from 'node:https';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger, type LoggerService } from '@nestjs/common';
import { ListenerTls, type Metrics } from '@portcullis/boot';
import { POLICY_FILE_BYTES_MAX } from '@portcullis/contracts/api/policy-file';
import { AUDIT_BATCH_BYTES_MAX, AUDIT_BATCH_TYPE } from '@portcullis/contracts/node';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { serveOauthPages } from './credentials/oauth-pages.js';
import { acceptJsonOnly } from './http/accept-json-only.js';
import { admitBeforeLongBodies } from './http/admit-before-long-bodies.js';
import { acceptText, YAML_TYPE, type TextRoute } from './http/accept-text.js';
import { acceptStreams } from './http/accept-streams.js';
import { answerWhatIsTooLarge } from './http/answer-what-is-too-large.js';
import { boundConnections } from './http/bound-connections.js';
import { endSlowBodies } from './http/body-deadline.js';
import { tagAnswers } from './http/entity-tags.js';
import { keepPrivate } from './http/keep-private.js';
import { serveOpenApi } from './http/open-api.js';
import { ProblemFilter, refuseUrl } from './http/problem.filter.js';
import { RouteTable } from './http/route-table.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { showHidden } from './http/visible-text.js';
import { passAnyDoor } from './operators/any-door.js';

const BODY_BYTES_MAX = 1_048_576;
const BODY_MS_MAX = 60_000;
/** Nodes, runners and operators together; whoever sends nothing is hung up on within two minutes. */
const CONNECTIONS_MAX = 4096;
const TEXT_ROUTES: readonly TextRoute[] = [
  { type: YAML_TYPE, path: '/v1/policy/import', bytesMax: POLICY_FILE_BYTES_MAX },
  { type: AUDIT_BATCH_TYPE, path: '/v1/node/audit', bytesMax: AUDIT_BATCH_BYTES_MAX },
];
/** Routes whose bodies are read as they come, however long that takes. */
const STREAMED: ReadonlySet<string> = new Set(['/v1/imports']);

/** The REST server, ready to listen or to be injected into. `close()` ends everything it started. */
export async function createApp(config: Config, logger: LoggerService | false, metrics?: Metrics): Promise<NestFastifyApplication> {
  const tls = config.tls && (await ListenerTls.open(config.tls));
  const options = { bodyLimit: BODY_BYTES_MAX, requestTimeout: 0, frameworkErrors: refuseUrl };
  const adapter = new FastifyAdapter(tls === undefined ? options : { ...options, https: tls.options });
  boundConnections(adapter.getInstance().server, CONNECTIONS_MAX, (message) => new Logger('listener').warn(message));
  const routes = new RouteTable();
  adapter.getInstance().addHook('onRoute', ({ method, url }) => routes.add(method, url));
  acceptJsonOnly(adapter.getInstance());
  acceptStreams(adapter.getInstance(), STREAMED);
  for (const route of TEXT_ROUTES) acceptText(adapter.getInstance(), route);
  answerWhatIsTooLarge(adapter.getInstance(), BODY_BYTES_MAX, new Set([...STREAMED, ...TEXT_ROUTES.map(({ path }) => path)]));
  endSlowBodies(adapter.getInstance(), BODY_MS_MAX, STREAMED);
  keepPrivate(adapter.getInstance());
  showHidden(adapter.getInstance());
  tagAnswers(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(config, metrics), adapter, {
    bodyParser: false,
    logger,
    abortOnError: false,
  });
  admitBeforeLongBodies(adapter.getInstance(), (request, path) => passAnyDoor(app, request, path));
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(routes));
  serveOpenApi(app);
  serveOauthPages(adapter.getInstance(), config.credentials?.publicUrl);
  if (tls !== undefined) keepCertificate(adapter, tls);
  await app.init();
  await adapter.getInstance().ready();
  return app;
}

function keepCertificate(adapter: FastifyAdapter, tls: ListenerTls): void {
  const fastify = adapter.getInstance();
  const logger = new Logger('listener');
  const said = {
    info: (message: string) => logger.log(message),
    warn: ({ err }: { err: unknown }, message: string) => logger.warn(`${message}: ${String(err)}`),
  };
  const { server } = fastify as { server: object };
  if (!(server instanceof Server)) return;
  const stop = tls.keepRenewing(server, said);
  fastify.addHook('onClose', (_instance, done) => {
    stop();
    done();
  });
}
