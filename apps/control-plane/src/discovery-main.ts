import { createLogger, createMetrics, runProcess, startHealthServer } from '@portcullis/boot';
import { openDatabase } from '@portcullis/database';
import { createEgress } from '@portcullis/egress';
import { Redis } from 'ioredis';
import { PolicyChanges } from './changes/policy-changes.js';
import { PolicyNews } from './changes/policy-news.js';
import { SelfWideningGuard } from './changes/self-widening-guard.js';
import { loadDiscoveryConfig } from './config.js';
import { signInWith } from './discovery/sign-in-with.js';
import { isAnswering } from './database/is-answering.js';
import { DiscoveryQueue } from './discovery/discovery-queue.js';
import { DiscoveryRepository } from './discovery/discovery.repository.js';
import { DiscoveryWorker } from './discovery/discovery-worker.js';
import { keepForgettingDrift } from './drift/forget-old-drift.js';
import { openRedis } from './redis/redis.module.js';
import { announceDirty } from './snapshots/dirty-channel.js';

const logger = createLogger({ name: 'discovery' });

await runProcess(async (onClose) => {
  const config = loadDiscoveryConfig();
  logger.level = config.logLevel;
  const database = openDatabase(config.databaseUrl);
  onClose('database', () => database.$disconnect());
  const egress = createEgress({ allow: config.egressAllow, notesPeerKeys: true });
  onClose('egress', () => egress.close());
  const commands = openRedis(config.redisUrl, (message) => logger.warn(message));
  onClose('redis', async () => commands.disconnect());
  const blocking = new Redis(config.redisUrl, { maxRetriesPerRequest: null });
  blocking.on('error', () => undefined); // the other connection tells of the same outage
  onClose('redis for jobs', async () => blocking.disconnect());
  const news = new PolicyNews();
  news.onCommitted((revision) => void announceDirty(commands, revision).catch(() => undefined)); // publishers look every second anyway
  const metrics = createMetrics({ app: 'discovery' });
  const signIn = signInWith(config, { database, egress, logger, onClose });
  const queue = new DiscoveryQueue(commands);
  const worker = new DiscoveryWorker({
    database,
    repository: new DiscoveryRepository(database),
    changes: new PolicyChanges(database, news, new SelfWideningGuard(database)),
    fetch: (url, init) => egress.fetch(url, init),
    signIn,
    peerKeyOf: (url) => egress.peerKeyOf(url),
    redis: blocking,
    queue,
    logger,
    metrics,
  });
  onClose('discovery queue', () => queue.close());
  onClose('discovery worker', () => worker.stop());
  onClose('drift history', keepForgettingDrift(database, config.driftHistoryDays, logger));
  const ready = async (): Promise<{ ready: boolean; postgres: boolean; redis: boolean }> => {
    const postgres = await isAnswering(database);
    const redis = commands.status === 'ready';
    return { ready: postgres && redis, postgres, redis };
  };
  const health = await startHealthServer({ host: config.healthHost, port: config.healthPort, metrics, ready });
  onClose('health', () => health.close());
  logger.info({ healthPort: health.port }, 'Discovery runs');
}, logger);
