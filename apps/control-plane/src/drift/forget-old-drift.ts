import type { Logger } from '@portcullis/boot';
import type { PrismaClient } from '@portcullis/database';
import { BackgroundLoop } from '../background/background-loop.js';

const AT_ONCE = 2_000;
const EVERY_MS = 3_600_000;

/**
 * Forgets changes of servers that are older than so many days, and gives how many. Those stay that led to what a definition is now, or to what is
 * approved of it: what waits, what was rejected and what is in force can be looked up however old it is.
 */
export async function forgetOldDrift(database: PrismaClient, days: number): Promise<number> {
  for (let forgotten = 0; ;) {
    const gone = await database.$executeRaw`
      DELETE FROM definition_change WHERE id IN (
        SELECT c.id FROM definition_change c
        WHERE c.at < clock_timestamp() - make_interval(days => ${days}::int) AND NOT EXISTS (
          SELECT 1 FROM definition d WHERE d.id = c.definition_id AND c.after_hash IN (d.hash, d.approved_hash))
        ORDER BY c.at LIMIT ${AT_ONCE})`;
    forgotten += gone;
    if (gone < AT_ONCE) return forgotten;
  }
}

/** Does so now and every hour, until the returned function is called. */
export function keepForgettingDrift(database: PrismaClient, days: number, logger: Pick<Logger, 'info' | 'warn'>): () => Promise<void> {
  const turn = async (): Promise<void> => {
    const forgotten = await forgetOldDrift(database, days);
    if (forgotten > 0) logger.info({ forgotten, days }, 'Old changes of servers were forgotten');
  };
  const loop = new BackgroundLoop(logger, { everyMs: EVERY_MS, complaint: 'Old changes of servers could not be forgotten', turn });
  loop.start();
  return () => loop.stop();
}
