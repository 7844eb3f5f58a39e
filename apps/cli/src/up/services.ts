import { startPostgres, startRedis } from '@portcullis/local-services';
import { Redis } from 'ioredis';
import { join } from 'node:path';
import { CliError, messageOf } from '../cli-error.js';
import type { Say } from '../progress.js';
import { keepService } from './keep-service.js';
import type { KeptHooks } from './kept.js';
import { hostOf } from './migrate.js';
import type { Parts } from './parts.js';

/** Where one of the two services comes from, and where our own keeps its data. */
export interface ServiceWish {
  readonly given: string | undefined;
  readonly dataDirectory: string;
  readonly port: number;
}

export interface ServiceHost {
  readonly parts: Parts;
  readonly hooks: KeptHooks;
  readonly say: Say;
}

/** URL of the given Postgres, or of one of our own that is started. */
export async function providePostgres({ given, dataDirectory, port }: ServiceWish, { parts, hooks, say }: ServiceHost): Promise<string> {
  // Whether it answers shows when its migrations are read.
  if (given !== undefined) return given;
  const start = () => startPostgres({ directory: join(dataDirectory, 'postgres'), port, log: say });
  return parts.add('services', await keepService({ name: 'postgres', start, killSignal: 'SIGQUIT' }, hooks)).url;
}

/** URL of the given Redis, which must answer, or of one of our own that is started. */
export async function provideRedis({ given, dataDirectory, port }: ServiceWish, { parts, hooks, say }: ServiceHost): Promise<string> {
  if (given !== undefined) {
    await refuseSilentRedis(given, say);
    return given;
  }
  const start = () => startRedis({ directory: join(dataDirectory, 'redis'), port, persist: true, log: say });
  return parts.add('services', await keepService({ name: 'redis', start, killSignal: 'SIGKILL' }, hooks)).url;
}

async function refuseSilentRedis(url: string, say: Say): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, maxRetriesPerRequest: 0, retryStrategy: () => null });
  // A refused password shows here alone; what is awaited below then only says that the connection is closed.
  let told: unknown;
  redis.on('error', (error) => (told = error));
  try {
    await redis.connect();
    await redis.ping();
    const [, policy] = await redis.config('GET', 'maxmemory-policy').then(
      (answer) => answer as string[],
      () => [],
    );
    if (policy !== undefined && policy !== 'noeviction') say(`Redis at ${hostOf(url)} may evict data (maxmemory-policy ${policy}); set noeviction.`);
  } catch (error) {
    throw new CliError(`Redis at ${hostOf(url)} cannot be used: ${messageOf(told ?? error)}. Check REDIS_URL, or unset it to use one of our own.`);
  } finally {
    redis.disconnect();
  }
}
