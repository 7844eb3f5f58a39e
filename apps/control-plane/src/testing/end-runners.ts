import type { PrismaClient } from '@portcullis/database';
import { inTransaction } from '../changes/in-transaction.js';

/** Ends what a test's runners host. Silent for some seconds they count as dead, and their servers would move to the runners of the next test. */
export const endRunners = (database: PrismaClient): Promise<unknown> =>
  inTransaction(database, async (tx) => {
    await tx.hosting.deleteMany();
    await tx.runner.updateMany({ data: { leftAt: new Date() } });
  });
