import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startRedis } from '@portcullis/local-services';
import { Redis } from 'ioredis';
import type { FaultCase } from '../fault-case.js';
import { healthOf } from '../../e2e/by-hand.js';
import type { Ledger } from '../../e2e/ledger.js';
import { type Laboratory, NODES, WORKERS } from '../laboratory.js';
import { movement } from '../movement.js';
import { fillDisk, onSmallDisk } from '../small-disk.js';
import { until } from '../until.js';

const never = (): boolean => false;
const isMisconfigured = (error: unknown): boolean => String(error).includes('MISCONF');

const withRedis = <T>(lab: Laboratory, use: (redis: Redis) => Promise<T>): Promise<T> => withRedisAt(lab.redis.url, use);

async function withRedisAt<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** A Redis that may throw away what waits in it is told of by everybody who relies on it. */
async function evictionShows(lab: Laboratory, ledger: Ledger): Promise<void> {
  await withRedis(lab, (redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'));
  const says = async (name: (typeof NODES)[number] | (typeof WORKERS)[number], status: number): Promise<boolean> => {
    const health = await healthOf(lab.process(name));
    return health.status === status && health.text.includes('allkeys-lru');
  };
  await until('nodes say that Redis may evict', async () => (await Promise.all(NODES.map((name) => says(name, 200)))).every(Boolean));
  await until('workers are not ready for a Redis that may evict', async () =>
    (await Promise.all(WORKERS.map((name) => says(name, 503)))).every(Boolean),
  );
  await movement(ledger, 20);
  await withRedis(lab, (redis) => redis.config('SET', 'maxmemory-policy', 'noeviction'));
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
      await evictionShows(lab, ledger);
    },
  },
  {
    name: 'F8',
    title: 'the disk of Redis is full, so that it refuses every write',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger, { seconds }) => {
      const disk = join(lab.directory, 'redis');
      const password = await readFile(join(disk, 'password'));
      await lab.redis.signal('SIGKILL');
      await onSmallDisk(disk, 16, async () => {
        await writeFile(join(disk, 'password'), password, { mode: 0o600 });
        await lab.redis.start();
        await withRedis(lab, async (redis) => {
          await redis.config('SET', 'appendfsync', 'everysec'); // with `always` it would rather end than refuse
          await redis.config('SET', 'appendonly', 'yes');
          await until('Redis writes to its disk', async () => (await redis.info('persistence')).includes('aof_rewrite_in_progress:0'));
        });
        await movement(ledger, 50);
        const inTheWay = await fillDisk(disk);
        await until('Redis refuses writes', async () => withRedis(lab, (redis) => redis.set('a-write', 'x').then(never, isMisconfigured)));
        await movement(ledger, 50);
        await pause(1000 * seconds(20));
        await movement(ledger, 50);
        await rm(inTheWay);
        await until('Redis takes writes', async () => withRedis(lab, async (redis) => (await redis.set('a-write', 'x')) === 'OK'));
        await movement(ledger, 50);
        await lab.redis.signal('SIGKILL');
      });
      await lab.redis.start();
      await movement(ledger, 20);
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
  {
    name: 'F9',
    title: 'nodes and workers are cut from Redis and a replica is promoted in its place, and back again',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger, { seconds }) => {
      const first = new URL(lab.redis.url);
      const replica = await startRedis({ directory: join(lab.directory, 'redis-replica'), persist: false });
      const links = [lab.links['node to Redis'], lab.links['worker to Redis']];
      const lead = (port: number): void => links.forEach((link) => link.retarget(port));
      try {
        await withRedisAt(replica.url, async (redis) => {
          await redis.config('SET', 'masterauth', first.password);
          await redis.config('SET', 'requirepass', first.password);
          await redis.replicaof('127.0.0.1', first.port);
          await until('the replica follows', async () => (await redis.info('replication')).includes('master_link_status:up'));
          await movement(ledger, 50);
          links.forEach((link) => link.cut());
          await redis.replicaof('NO', 'ONE');
        });
        await movement(ledger, 30);
        links.forEach((link) => link.heal());
        lead(replica.port);
        await movement(ledger, 50);
        await pause(1000 * seconds(20));
        await movement(ledger, 50);
        lead(Number(first.port)); // what only the replica had is lost with it
        await movement(ledger, 50);
      } finally {
        await replica.stop();
      }
    },
  },
];
