import { createLogger, createMetrics, runProcess, startHealthServer } from '@portcullis/boot';
import { PrismaClient } from '@portcullis/database';
import { loadConfig } from './config.js';
import { createApp } from './create-app.js';
import { isAnswering } from './database/is-answering.js';
import { waitForDatabase } from './database/wait-for-database.js';
import { nestLogger } from './http/nest-logger.js';

const logger = createLogger({ name: 'control-plane' });

await runProcess(async (onClose) => {
  const config = loadConfig();
  logger.level = config.logLevel;
  const metrics = createMetrics({ app: 'control-plane' });
  let ready = async (): Promise<{ ready: boolean; postgres: boolean }> => ({ ready: false, postgres: false });
  const health = await startHealthServer({ host: config.healthHost, port: config.healthPort, metrics, ready: () => ready() });
  onClose('health', () => health.close());
  const stop = new AbortController();
  onClose('waiting', () => stop.abort());
  await waitForDatabase(config.databaseUrl, (why) => logger.warn({ why }, 'Waiting for the database'), stop.signal);
  const app = await createApp(config, nestLogger(logger), metrics);
  onClose('application', () => app.close());
  const database = app.get(PrismaClient);
  await app.listen(config.port, config.host);
  ready = async () => {
    const postgres = await isAnswering(database);
    return { ready: postgres, postgres };
  };
  logger.info({ url: await app.getUrl(), healthPort: health.port }, 'Control plane listens');
}, logger);
