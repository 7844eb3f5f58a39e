import {
  Prisma,
  type Import,
  type ImportRow,
  type ImportRowState,
  type ImportState,
  type PrismaClient,
  type Transaction,
} from '@portcullis/database';

/** What one batch adds to the counts of its import. */
export interface Counts {
  readonly received: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
}

/** A running import tells that it is alive at least every second. */
const SILENCE_SECONDS = 30;

type Reader = PrismaClient | Transaction;

export async function findImport(db: Reader, id: string): Promise<Import | null> {
  const row = await db.import.findUnique({ where: { id } });
  return row === null ? null : asSeenNow(row);
}

/** Newest first, one more than asked for. */
export async function listImports(db: Reader, limit: number, before: string | undefined): Promise<Import[]> {
  const rows = await db.import.findMany({ where: before === undefined ? {} : { id: { lt: before } }, orderBy: { id: 'desc' }, take: limit + 1 });
  return rows.map(asSeenNow);
}

/** An import whose process is gone says nothing any more. */
function asSeenNow(row: Import): Import {
  const isSilent = row.state === 'running' && row.aliveAt.getTime() < Date.now() - SILENCE_SECONDS * 1000;
  return isSilent ? { ...row, state: 'interrupted', detail: 'The process that ran it went away.' } : row;
}

/** In order of the rows, one more than asked for. */
export async function listImportRows(
  db: Reader,
  importId: string,
  { state, limit, after }: { state: ImportRowState | undefined; limit: number; after: number | undefined },
): Promise<ImportRow[]> {
  const where = { importId, ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { number: { gt: after } }) };
  return db.importRow.findMany({ where, orderBy: { number: 'asc' }, take: limit + 1 });
}

/** Adds to the counts of a running import; false when it does not run any more, and then nothing of the batch may stay. */
export async function countBatch(tx: Reader, id: string, counts: Counts): Promise<boolean> {
  const { received, created, updated, unchanged, skipped, failed } = counts;
  const touched = await tx.$executeRaw`UPDATE server_import SET received = received + ${received}, created = created + ${created},
    updated = updated + ${updated}, unchanged = unchanged + ${unchanged}, skipped = skipped + ${skipped}, failed = failed + ${failed},
    alive_at = clock_timestamp() WHERE id = ${id}::uuid AND state = 'running'`;
  return touched === 1;
}

/** Says that the import is alive; false when it does not run any more. */
export async function keepAlive(db: Reader, id: string): Promise<boolean> {
  return (await db.$executeRaw`UPDATE server_import SET alive_at = clock_timestamp() WHERE id = ${id}::uuid AND state = 'running'`) === 1;
}

/** Only a running import can end. */
export async function endImport(db: Reader, id: string, state: ImportState, detail: string | null): Promise<boolean> {
  const { count } = await db.import.updateMany({ where: { id, state: 'running' }, data: { state, detail, finishedAt: new Date() } });
  return count === 1;
}

export async function noteRevision(db: Reader, id: string, revision: number): Promise<void> {
  await db.import.updateMany({ where: { id, OR: [{ revision: null }, { revision: { lt: revision } }] }, data: { revision } });
}

export async function insertRows(tx: Transaction, rows: readonly Prisma.ImportRowCreateManyInput[]): Promise<void> {
  if (rows.length > 0) await tx.importRow.createMany({ data: [...rows] });
}

/** When the last finished pull from this address began. */
export async function lastPullFrom(db: Reader, url: string): Promise<Date | null> {
  const row = await db.import.findFirst({ where: { source: 'registry', url, state: 'finished', dryRun: false }, orderBy: { id: 'desc' } });
  return row?.createdAt ?? null;
}

/** What became of each row is of interest for a month; the counts stay. */
export async function forgetOldRows(db: PrismaClient): Promise<void> {
  await db.$executeRaw`DELETE FROM server_import_row USING server_import
    WHERE import_id = server_import.id AND server_import.created_at < clock_timestamp() - interval '30 days'`;
}
