import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';

const ATTEMPTS = 5;
// Changes of policy wait for one another, so a burst of them needs more patience than the client's default of 2 s.
const patience = { maxWait: 30_000, timeout: 30_000 };

/** Runs the work in one transaction; again, from its beginning, when Postgres ended it for a deadlock or a serialization conflict. */
export async function inTransaction<T>(
  database: PrismaClient,
  work: (tx: Transaction) => Promise<T>,
  options: { readonly isolationLevel?: Prisma.TransactionIsolationLevel; readonly timeout?: number } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.$transaction(work, { ...patience, ...options });
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
    }
  }
}

/** Whether a transaction was ended because it took longer than it may. */
export const ranOutOfTime = (error: unknown): boolean => error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2028';

function isConflict(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  if (error.code === 'P2034') return true;
  // Statements of our own come back as P2010 with Postgres' code inside.
  return error.code === 'P2010' && /40P01|40001|TransactionWriteConflict/.test(JSON.stringify(error.meta ?? {}));
}
