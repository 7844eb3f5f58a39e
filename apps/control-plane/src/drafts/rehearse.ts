import type { PrismaClient, Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { keepRows } from '../changes/kept-rows.js';
import { inTransaction } from '../changes/in-transaction.js';
import { currentRevision } from '../policy/policy.repository.js';
import { netChanges, type NetChange } from '../revisions/net-changes.js';

/** No revision has this number: rows kept under it are never committed. */
const REHEARSAL = -1;

/** What somebody would change, and what there is to see of policy before and after. */
export interface Rehearsal<Made, Aim, Seen> {
  readonly revision: number;
  readonly made: Made;
  readonly aim: Aim;
  readonly before: Seen;
  readonly after: Seen;
}

/** Where to look, given what a change did; what it made; and, when it is taken back, what there was. */
export interface Looking<Aim, Seen> {
  aim(tx: Transaction, changes: readonly NetChange[]): Promise<Aim>;
  after(tx: Transaction, aim: Aim): Promise<Seen>;
  before(tx: Transaction, aim: Aim, after: Seen): Promise<Seen>;
}

/**
 * Makes a change, looks at what it did, and takes it back, in one transaction that sees one state of policy. What is checked is what the change
 * itself checks. Rows that it touched are locked no longer than `after` takes; nothing of it is ever committed.
 */
export async function rehearse<Made, Aim, Seen>(
  database: PrismaClient,
  change: (tx: Transaction) => Promise<Made>,
  looking: Looking<Aim, Seen>,
): Promise<Rehearsal<Made, Aim, Seen>> {
  const work = async (tx: Transaction): Promise<Rehearsal<Made, Aim, Seen>> => {
    const revision = await currentRevision(tx);
    await tx.$executeRawUnsafe('SAVEPOINT rehearsal');
    await keepRows(tx, REHEARSAL, 'rehearsal');
    const made = await change(tx);
    const aim = await looking.aim(tx, await netChanges(tx, REHEARSAL));
    const after = await looking.after(tx, aim);
    await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT rehearsal');
    return { revision, made, aim, before: await looking.before(tx, aim, after), after };
  };
  return inTransaction(database, work, { isolationLevel: 'RepeatableRead', timeout: REHEARSAL_MS_MAX });
}

/** Longer than a change may take: most of it only reads, and holds up nobody. */
const REHEARSAL_MS_MAX = 60_000;

/** Who rehearses: what is never committed has no author. */
export const NOBODY: Author = { name: 'portcullis/rehearsal' };
