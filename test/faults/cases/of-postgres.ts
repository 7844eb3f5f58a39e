import { chown, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { queryDatabase } from '@portcullis/testing';
import { Redis } from 'ioredis';
import type { FaultCase } from '../fault-case.js';
import { type Laboratory, WORKERS } from '../laboratory.js';
import { movement } from '../movement.js';
import { fillDisk, onSmallDisk } from '../small-disk.js';
import { until } from '../until.js';

/** Puts today's rows on that disk. */
async function moveDayTo(lab: Laboratory, disk: string): Promise<string> {
  const { uid, gid } = await stat(join(lab.directory, 'postgres', 'cluster'));
  await chown(disk, uid, gid);
  const day = `audit_days.day_${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
  await queryDatabase(lab.postgres.url, `CREATE TABLESPACE small_disk LOCATION '${disk}'`);
  await until('the day lies on the small disk', () => moved(lab, `ALTER TABLE ${day} SET TABLESPACE small_disk`));
  return day;
}

const moved = async (lab: Laboratory, statement: string): Promise<boolean> => {
  await queryDatabase(lab.postgres.url, statement);
  return true;
};

/** How often workers could not store a batch. */
async function failuresOf(lab: Laboratory): Promise<number> {
  const texts = await Promise.all(WORKERS.map(async (name) => (await fetch(`${lab.process(name).healthUrl}/metrics`)).text()));
  return texts.reduce((sum, text) => sum + Number(/audit_store_failures_total(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? 0), 0);
}

const usedBytes = async (redis: Redis): Promise<number> => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);

/** What happens to Postgres, and to the way there. */
export const postgresCases: readonly FaultCase[] = [
  {
    name: 'F10',
    title: 'Postgres stops at once and starts again',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await movement(ledger, 20);
      await lab.postgres.signal('SIGQUIT');
      await movement(ledger, 50);
      await pause(1000 * seconds(60));
      await movement(ledger, 50);
      await lab.postgres.start();
      await movement(ledger, 20);
    },
  },
  {
    name: 'F11',
    title: 'the disk that Postgres keeps the day on is full',
    perSecond: 100,
    isForRandom: false,
    inject: async (lab, ledger, { seconds }) => {
      const disk = join(lab.directory, 'postgres', 'small-disk');
      await mkdir(disk);
      await onSmallDisk(disk, 24, async () => {
        const day = await moveDayTo(lab, disk);
        await movement(ledger, 50);
        const inTheWay = await fillDisk(disk);
        try {
          await until('Postgres refuses rows', async () => (await failuresOf(lab)) > 0);
          await movement(ledger, 50);
          await pause(1000 * seconds(20));
          await movement(ledger, 50);
        } finally {
          await rm(inTheWay);
          await until('the day lies on the usual disk again', () => moved(lab, `ALTER TABLE ${day} SET TABLESPACE pg_default`));
        }
        await queryDatabase(lab.postgres.url, 'DROP TABLESPACE small_disk');
      });
    },
  },
  {
    name: 'F12',
    title: 'Redis and Postgres are both gone',
    perSecond: 100,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      await Promise.all([lab.redis.signal('SIGKILL'), lab.postgres.signal('SIGQUIT')]);
      await movement(ledger, 50);
      await pause(1000 * seconds(300));
      await movement(ledger, 50);
      await Promise.all([lab.redis.start(), lab.postgres.start()]);
      await movement(ledger, 20);
    },
  },
  {
    name: 'F18',
    title: 'Postgres answers the workers late, then not at all, and Redis has little memory',
    perSecond: 200,
    isForRandom: true,
    inject: async (lab, ledger, { seconds }) => {
      const redis = new Redis(lab.redis.url, { maxRetriesPerRequest: 1 });
      try {
        lab.links['worker to Postgres'].delay(50);
        await movement(ledger, 50);
        // The backlog may fill some of it, and never all.
        const limit = (await usedBytes(redis)) + 24 * 1024 * 1024;
        await redis.config('SET', 'maxmemory', String(limit));
        lab.links['worker to Postgres'].cut();
        for (let left = seconds(300); left > 0; left -= 1) {
          if ((await usedBytes(redis)) > limit * 0.9) throw new Error('The backlog took the memory that policy needs');
          await pause(1000);
        }
        await movement(ledger, 50);
        lab.links['worker to Postgres'].heal();
      } finally {
        await redis.config('SET', 'maxmemory', '512mb');
        redis.disconnect();
      }
      await movement(ledger, 50);
    },
  },
];
