import { Redis } from 'ioredis';
import { evictionIn } from '@portcullis/audit';
import { createLogger, createMetrics, runProcess, startHealthServer } from '@portcullis/boot';
import { openDatabase } from '@portcullis/database';
import { loadConfig } from './config.js';
import { AuditSecrets } from './audit-secrets.js';
import { BatchAuthority } from './batch-authority.js';
import { createIntake } from './intake.js';
import { startWorker } from './start-worker.js';
import { BatchStore } from './store-batch.js';
import { takeHandedOver } from './take-handed-over.js';

/** Two commits at a time, one batch that goes to quarantine, the look at what nodes handed over, and that at health. */
const DATABASE_CONNECTIONS = 6;

const logger = createLogger({ name: 'audit-worker' });

/** Says it in the log as often as it is asked: it has to be put right. */
async function evictionOf(redis: Redis): Promise<string | null> {
  const evictsBy = await redis.info('memory').then(evictionIn, () => null);
  if (evictsBy !== null) logger.error({ evictsBy }, 'Redis may throw away what waits in it: its maxmemory-policy has to be noeviction');
  return evictsBy;
}

await runProcess(async (onClose) => {
  const config = loadConfig();
  logger.level = config.logLevel;
  const metrics = createMetrics({ app: 'audit-worker' });

  const database = openDatabase(config.databaseUrl, DATABASE_CONNECTIONS);
  onClose('database', () => database.$disconnect());
  const redis = new Redis(config.auditRedisUrl ?? config.redisUrl, { maxRetriesPerRequest: null });
  redis.on('error', (error) => logger.warn({ err: error }, 'Redis is not to be had'));
  onClose('redis', () => redis.disconnect());

  const store = new BatchStore(database, Date.now);
  const secrets = new AuditSecrets(config.auditKeys);
  const intake = createIntake({ store, authority: new BatchAuthority(database, secrets), logger, metrics });
  const worker = startWorker({ redis, intake, logger, metrics, concurrency: config.concurrency });
  onClose('worker', () => worker.close());
  const handedOver = takeHandedOver(database, intake, logger);
  onClose('hand-over', () => handedOver.close());

  const health = await startHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    metrics,
    ready: async () => {
      const postgres = await database.$queryRaw`SELECT 1`.then(
        () => true,
        () => false,
      );
      const redisEvictsBy = redis.status === 'ready' ? await evictionOf(redis) : null;
      const auditKey = await secrets.isReady();
      // What waits in the queue must not be thrown away.
      const ready = postgres && redis.status === 'ready' && redisEvictsBy === null && auditKey;
      return { ready, postgres, redis: redis.status === 'ready', redisEvictsBy, auditKey };
    },
  });
  onClose('health', () => health.close());
  logger.info({ healthPort: health.port }, 'Audit worker runs');
}, logger);
