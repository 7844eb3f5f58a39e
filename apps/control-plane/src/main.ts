import { createLogger, runProcess, type Metrics, startHealthServer } from '@portcullis/boot';
import { PrismaClient } from '@portcullis/database';
import { loadConfig } from './config.js';
import { createApp } from './create-app.js';
import { nestLogger } from './http/nest-logger.js';
import { METRICS } from './metrics/metrics.module.js';

const logger = createLogger({ name: 'control-plane' });

await runProcess(async (onClose) => {
  const config = loadConfig();
  logger.level = config.logLevel;
  const app = await createApp(config, nestLogger(logger));
  onClose('application', () => app.close());
  const database = app.get(PrismaClient);
  const ready = async (): Promise<{ ready: boolean }> => {
    await database.$queryRaw`SELECT 1`;
    return { ready: true };
  };
  const health = await startHealthServer({ host: config.healthHost, port: config.healthPort, metrics: app.get<Metrics>(METRICS), ready });
  onClose('health', () => health.close());
  await app.listen(config.port, config.host);
  logger.info({ url: await app.getUrl(), healthPort: health.port }, 'Control plane listens');
}, logger);
