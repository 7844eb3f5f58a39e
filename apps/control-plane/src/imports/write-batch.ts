import { bucketOf } from '@portcullis/contracts/snapshot';
import type { PrismaClient, Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { inTransaction } from '../changes/in-transaction.js';
import type { PolicyChange, PolicyChanges } from '../changes/policy-changes.js';
import { ProblemError } from '../http/problem.js';
import { countBatch, insertRows, noteRevision } from './imports.repository.js';
import type { ImportRun } from './import-run.js';
import type { JudgedRow } from './judge-candidate.js';
import { planBatch, type NumberedRow, type PlannedRow } from './plan-batch.js';
import { RowRefused } from './source-row.js';
import { insertServers, updateServers } from './write-servers.js';

export interface WriteParts {
  readonly database: PrismaClient;
  readonly changes: PolicyChanges;
}

/** The import was cancelled, or declared dead: nothing more may be written. */
export class ImportEnded extends Error {
  override readonly name = 'ImportEnded';
}

/**
 * Writes what the rows ask for in one transaction, which is one revision: servers, counts and what became of each row, all or nothing. Where policy
 * refuses the batch, halves of it are tried, until the rows that are refused stand alone.
 */
export async function writeBatch(parts: WriteParts, run: ImportRun, rows: readonly NumberedRow[]): Promise<void> {
  try {
    run.created += await applyBatch(parts, run, rows);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const [first] = rows;
    if (rows.length > 1) {
      const middle = Math.ceil(rows.length / 2);
      await writeBatch(parts, run, rows.slice(0, middle));
      await writeBatch(parts, run, rows.slice(middle));
    } else if (first !== undefined && 'judged' in first) {
      await applyBatch(parts, run, [{ number: first.number, line: first.line, refused: refusedBy(error, first.judged) }]);
    } else throw error;
  }
}

const refusedBy = (error: ProblemError, { key }: JudgedRow): RowRefused => new RowRefused(error.key, error.message, { key });

/** How many servers were made. */
async function applyBatch({ database, changes }: WriteParts, run: ImportRun, rows: readonly NumberedRow[]): Promise<number> {
  // Most batches of a second import change nothing, and those do not queue for the lock that orders changes of policy.
  const isDone = await inTransaction(database, async (tx) => {
    const planned = await planBatch(tx, run, rows);
    if (!run.isDryRun && planned.some(({ plan }) => plan?.kind === 'create' || plan?.kind === 'update')) return false;
    await keepOutcome(tx, run, planned);
    for (const { plan } of planned) if (plan?.kind === 'create') run.promised.add(plan.slug);
    return true;
  });
  if (isDone) return 0;
  const { result, revision } = await changes.apply(run.author, 'servers.imported', undefined, async (tx) => {
    const planned = await planBatch(tx, run, rows);
    await keepOutcome(tx, run, planned);
    return changeServers(tx, run, planned);
  });
  await noteRevision(database, run.id, revision);
  return result;
}

async function changeServers(tx: Transaction, run: ImportRun, planned: readonly PlannedRow[]): Promise<PolicyChange<number>> {
  const created = planned.flatMap(({ row, plan }) =>
    plan?.kind === 'create' && 'judged' in row ? [{ id: v7(), slug: plan.slug, judged: row.judged }] : [],
  );
  const updated = planned.flatMap(({ row, plan }) => (plan?.kind === 'update' && 'judged' in row ? [{ ...plan, judged: row.judged }] : []));
  await insertServers(tx, run, created);
  await updateServers(tx, run, updated);
  if (created.length === 0 && updated.length === 0) return { result: 0, unchanged: true };
  const change = {
    source: run.source,
    counts: { created: created.length, updated: updated.length },
    created: created.map(({ slug }) => slug),
    updated: updated.map(({ server, change: fields }) => ({ slug: server.slug, fields: Object.keys(fields) })),
  };
  const dirty = [...created.map(({ id }) => id), ...updated.map(({ server }) => server.id)];
  return {
    result: created.length,
    subject: { kind: 'import', id: run.id },
    change,
    dirty: dirty.map((id) => ({ kind: 'servers', bucket: bucketOf(id) }) as const),
  };
}

/** Counts, and what became of each row. Unchanged rows without a note are only counted. */
async function keepOutcome(tx: Transaction, run: ImportRun, planned: readonly PlannedRow[]): Promise<void> {
  const outcomes = planned.map(({ outcome }) => outcome);
  const count = (state: string): number => outcomes.filter((outcome) => outcome.state === state).length;
  const counts = {
    received: outcomes.length,
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    skipped: count('skipped'),
    failed: count('failed'),
  };
  if (!(await countBatch(tx, run.id, counts))) throw new ImportEnded();
  const kept = outcomes.filter(({ state, notes }) => state !== 'unchanged' || notes.length > 0);
  await insertRows(
    tx,
    kept.map((outcome) => ({ ...outcome, importId: run.id, notes: [...outcome.notes] })),
  );
}
