import { createLogger, createMetrics } from '@portcullis/boot';
import { createEgress } from '@portcullis/egress';
import { freshRedis } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { PolicyChanges } from '../changes/policy-changes.js';
import { PolicyNews } from '../changes/policy-news.js';
import { SelfWideningGuard } from '../changes/self-widening-guard.js';
import type { Config } from '../config.js';
import { openServerSignIn } from '../credentials/open-server-sign-in.js';
import { KeyRing } from '../keys/key-ring.js';
import { DiscoveryQueue } from '../discovery/discovery-queue.js';
import { DiscoveryRepository } from '../discovery/discovery.repository.js';
import { DiscoveryWorker } from '../discovery/discovery-worker.js';
import { openRedis } from '../redis/redis.module.js';
import { startTestApp, type TestApp } from './start-test-app.js';

/** A control plane with a discovery worker beside it that reaches loopback, on a Redis of their own. */
export interface Discovery {
  readonly own: TestApp;
  /** What the test says to Redis itself. */
  readonly redis: Redis;
  close(): Promise<void>;
}

export async function startDiscovery(tickMs = 100, overrides: Partial<Config> = {}): Promise<Discovery> {
  const redis = await freshRedis();
  const own = await startTestApp({ redisUrl: redis.url, credentials: { egressAllow: ['127.0.0.0/8'] }, ...overrides });
  // No name is ever found: how this machine finds names, and how long that takes, is nothing to a test.
  const egress = createEgress({ allow: ['127.0.0.0/8'], notesPeerKeys: true, resolve: async () => [] });
  const commands = openRedis(redis.url, () => undefined);
  const blocking = new Redis(redis.url, { maxRetriesPerRequest: null });
  const queue = new DiscoveryQueue(commands);
  const servers = openServerSignIn(own.database, own.app.get(KeyRing), egress);
  const worker = new DiscoveryWorker({
    database: own.database,
    repository: new DiscoveryRepository(own.database),
    changes: new PolicyChanges(own.database, new PolicyNews(), new SelfWideningGuard(own.database)),
    fetch: (url, init) => egress.fetch(url, init),
    signIn: (serverId, fetch) => servers.fetchFor(serverId, fetch),
    peerKeyOf: (url) => egress.peerKeyOf(url),
    redis: blocking,
    queue,
    logger: createLogger({ name: 'discovery', level: 'silent' }),
    metrics: createMetrics({ app: 'discovery' }),
    tickMs,
  });
  const close = async (): Promise<void> => {
    await worker.stop();
    await queue.close();
    await own.close();
    commands.disconnect();
    blocking.disconnect();
    await egress.close();
    await redis.stop();
  };
  return { own, redis: commands, close };
}
