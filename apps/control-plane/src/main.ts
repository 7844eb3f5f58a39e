import { createLogger, createMetrics, runProcess, startHealthServer, type Readiness } from '@portcullis/boot';
import { PrismaClient } from '@portcullis/database';
import { loadConfig } from './config.js';
import { createApp } from './create-app.js';
import { isAnswering } from './database/is-answering.js';
import { waitForDatabase } from './database/wait-for-database.js';
import { nestLogger } from './http/nest-logger.js';
import { SnapshotPublisher } from './snapshots/snapshot-publisher.js';

const logger = createLogger({ name: 'control-plane' });

await runProcess(async (onClose) => {
  const config = loadConfig();
  logger.level = config.logLevel;
  const metrics = createMetrics({ app: 'control-plane' });
  let ready = async (): Promise<Readiness> => ({ ready: false, postgres: false });
  const health = await startHealthServer({ host: config.healthHost, port: config.healthPort, metrics, ready: () => ready() });
  onClose('health', () => health.close());
  const stop = new AbortController();
  onClose('waiting', () => stop.abort());
  await waitForDatabase(config.databaseUrl, (why) => logger.warn({ why }, 'Waiting for the database'), stop.signal);
  const app = await createApp(config, nestLogger(logger), metrics);
  onClose('application', () => app.close());
  const database = app.get(PrismaClient);
  const publisher = app.get(SnapshotPublisher);
  await app.listen(config.port, config.host);
  ready = async () => {
    const postgres = await isAnswering(database);
    const publishingHeld = publisher.heldBecause();
    // Reading and repairing policy still works, and only a person can end it: restarting would not.
    return { ready: postgres, postgres, ...(publishingHeld !== undefined && { degraded: true, publishingHeld }) };
  };
  logger.info({ url: await app.getUrl(), healthPort: health.port }, 'Control plane listens');
}, logger);
