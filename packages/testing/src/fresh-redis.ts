import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, type LocalService } from '@portcullis/local-services';

/**
 * A Redis process that only one test file uses, so that channels, memory and faults are its own. It keeps nothing, and may be ended with a signal
 * to its pid to see what happens then.
 */
export async function freshRedis(options: { port?: number; memoryMaxMb?: number } = {}): Promise<LocalService> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-redis-'));
  const redis = await startRedis({ directory, persist: false, ...options });
  const stop = async (): Promise<void> => {
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { ...redis, stop };
}
