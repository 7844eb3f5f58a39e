import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '@portcullis/database';

const LOOK_MS = 500;

/** Settles when Postgres answers and is migrated; tells once when it has to wait. Rejects when `signal` aborts. */
export async function waitForDatabase(url: string, tell: (why: string) => void, signal: AbortSignal): Promise<void> {
  const database = openDatabase(url, 1);
  try {
    for (let isTold = false; ; isTold = true) {
      const why = await database.policyState.findUnique({ where: { id: 1 }, select: { id: true } }).then(
        (row) => (row === null ? 'it is not migrated' : undefined),
        (error: unknown) => (error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error)),
      );
      if (why === undefined) return;
      if (!isTold) tell(why);
      await sleep(LOOK_MS, undefined, { signal });
    }
  } finally {
    await database.$disconnect();
  }
}
