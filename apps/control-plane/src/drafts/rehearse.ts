import type { PrismaClient, Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { keepRows } from '../changes/kept-rows.js';
import { inTransaction } from '../changes/in-transaction.js';
import { currentRevision } from '../policy/policy.repository.js';
import { netChanges, type NetChange } from '../revisions/net-changes.js';

/** No revision has this number: rows kept under it are never committed. */
const REHEARSAL = -1;

/** What somebody would change, and what there is to see of policy before and after. */
export interface Rehearsal<Made, After, Before> {
  readonly revision: number;
  readonly made: Made;
  readonly after: After;
  readonly before: Before;
}

/** What a change made of the rows that it touched; and, when it is taken back, all else that there is to see. */
export interface Looking<After, Before> {
  after(tx: Transaction, changes: readonly NetChange[]): Promise<After>;
  before(tx: Transaction, changes: readonly NetChange[], after: After): Promise<Before>;
}

/**
 * Makes a change, looks at what it did, and takes it back, in one transaction that sees one state of policy. What is checked is what the change
 * itself checks. Rows that it touched are locked while it is made and while `after` looks, which is why that is to read no others; nothing of it is
 * ever committed.
 */
export async function rehearse<Made, After, Before>(
  database: PrismaClient,
  change: (tx: Transaction) => Promise<Made>,
  looking: Looking<After, Before>,
): Promise<Rehearsal<Made, After, Before>> {
  const work = async (tx: Transaction): Promise<Rehearsal<Made, After, Before>> => {
    const revision = await currentRevision(tx);
    await tx.$executeRawUnsafe('SAVEPOINT rehearsal');
    await keepRows(tx, REHEARSAL, 'rehearsal');
    const made = await change(tx);
    const changes = await netChanges(tx, REHEARSAL);
    const after = await looking.after(tx, changes);
    await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT rehearsal');
    return { revision, made, after, before: await looking.before(tx, changes, after) };
  };
  return inTransaction(database, work, { isolationLevel: 'RepeatableRead', timeout: REHEARSAL_MS_MAX });
}

/** Longer than a change may take: most of it only reads, and holds up nobody. */
const REHEARSAL_MS_MAX = 60_000;

/** Who rehearses: what is never committed has no author. */
export const NOBODY: Author = { name: 'portcullis/rehearsal' };
