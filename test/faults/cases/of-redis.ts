import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { FaultCase } from '../fault-case.js';
import type { Laboratory } from '../laboratory.js';
import { movement } from '../movement.js';

async function withRedis<T>(lab: Laboratory, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(lab.redis.url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** What happens to Redis, and to the way there. */
export const redisCases: readonly FaultCase[] = [
  {
    name: 'F4',
    title: 'Redis freezes and goes on',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await lab.redis.signal('SIGSTOP');
      await movement(ledger, 50);
      await pause(1000 * seconds(20));
      await movement(ledger, 50);
      await lab.redis.signal('SIGCONT');
      await movement(ledger, 50);
    },
  },
  {
    name: 'F5',
    title: 'Redis is killed and starts again empty',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { times, random }) => {
      for (let time = 0; time < times; time += 1) {
        await movement(ledger, 20);
        await lab.redis.signal('SIGKILL');
        await pause(2000 * random());
        await movement(ledger, 20);
        await lab.redis.start();
        await movement(ledger, 20);
      }
    },
  },
  {
    name: 'F6',
    title: 'everything in Redis is deleted, again and again',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { times, seconds }) => {
      for (let time = 0; time < times; time += 1) {
        await movement(ledger, 20);
        await withRedis(lab, (redis) => redis.flushall());
        await pause(1000 * seconds(5));
      }
    },
  },
  {
    name: 'F7',
    title: 'Redis has no memory left for writes',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await withRedis(lab, (redis) => redis.config('SET', 'maxmemory', '1mb'));
      await movement(ledger, 50);
      await pause(1000 * seconds(20));
      await movement(ledger, 50);
      await withRedis(lab, (redis) => redis.config('SET', 'maxmemory', '512mb'));
      await movement(ledger, 50);
    },
  },
  {
    name: 'F8',
    title: 'Redis refuses every write with an error, as where it cannot save',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await withRedis(lab, (redis) => redis.config('SET', 'min-replicas-to-write', '1'));
      await movement(ledger, 50);
      await pause(1000 * seconds(20));
      await movement(ledger, 50);
      await withRedis(lab, (redis) => redis.config('SET', 'min-replicas-to-write', '0'));
      await movement(ledger, 50);
    },
  },
  {
    name: 'F9',
    title: 'the way from nodes to Redis is cut, half open, slow',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      const link = lab.links['node to Redis'];
      for (const disturb of [() => link.cut(), () => link.swallow('up'), () => link.swallow('down'), () => link.delay(100)]) {
        disturb();
        await movement(ledger, 30);
        await pause(1000 * seconds(10));
        link.heal();
        await movement(ledger, 30);
      }
    },
  },
];
