import type { PrismaClient, Transaction } from '@portcullis/database';

/** How long to wait for another publisher to finish its round. */
const WAIT_MS = 5_000;
/** A publisher that gives no sign of life for so long loses the lock: a stopped process must not stop publishing everywhere. */
const IDLE_MS = 15_000;
const SIGN_OF_LIFE_MS = 3_000;

/**
 * Runs one round as the only publisher of this installation. The lock is held past the commit, until Redis has the result, so that rounds of
 * several control planes reach Redis in the order of their revisions. Undefined when another publisher would not finish in time.
 */
export async function withPublisherLock<T>(database: PrismaClient, round: () => Promise<T>): Promise<T | undefined> {
  return database.$transaction(
    async (tx) => {
      // Postgres evaluates these in their order: the wait for the lock is held to the limit.
      const isMine = await tx.$executeRaw`SELECT set_config('idle_in_transaction_session_timeout', ${String(IDLE_MS)}, true),
        set_config('lock_timeout', ${String(WAIT_MS)}, true), pg_advisory_xact_lock(hashtext('portcullis publisher'))`.then(
        () => true,
        (error: unknown) => {
          if (isLockTimeout(error)) return false;
          throw error;
        },
      );
      return isMine ? keepingAlive(tx, round) : undefined;
    },
    { maxWait: 10_000, timeout: 600_000 },
  );
}

async function keepingAlive<T>(tx: Transaction, round: () => Promise<T>): Promise<T> {
  let sign: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    sign = tx.$executeRaw`SELECT 1`.catch(() => undefined); // a lost lock shows at the end of the transaction
  }, SIGN_OF_LIFE_MS);
  try {
    return await round();
  } finally {
    clearInterval(timer);
    await sign;
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'meta' in error && JSON.stringify(error.meta).includes('55P03');
}
