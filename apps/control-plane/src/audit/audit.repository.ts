import type { AuditFilter } from '@portcullis/contracts/api/audit-search';
import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';
import { conditionsOf, driversOf, idBounds, idsAfter, idsBefore, type ResolvedFilter } from './audit-filter.js';
import { selectCalls, type AuditRow } from './select-calls.js';

/** Ends a reading that takes too long: an auditor's search must not hold the database from the calls' own records. */
export async function withinFiveSeconds<T>(
  database: PrismaClient,
  work: (tx: Transaction) => Promise<T>,
  isolationLevel: Prisma.TransactionIsolationLevel = 'ReadCommitted',
): Promise<T> {
  return database.$transaction(
    async (tx) => {
      // A day of a busy installation is grouped in so much memory, and not sorted on the disk.
      await tx.$executeRaw`SELECT set_config('statement_timeout', '5000', true), set_config('work_mem', '64MB', true)`;
      return work(tx);
    },
    { isolationLevel, maxWait: 10_000, timeout: 20_000 },
  );
}

/** Whether a reading was ended by its time limit. */
export function tookTooLong(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && JSON.stringify(error.meta ?? {}).includes('57014');
}

/** Where to look, and how much of it. */
export interface Place {
  /** The id of a call, itself left out. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** Newest first, unless it says otherwise. */
  readonly oldestFirst?: boolean;
}

/** What was found, and the id of a call up to which was looked: null where nothing is left to look at. */
export interface Found {
  readonly rows: readonly AuditRow[];
  readonly reached: string | null;
}

/** A page looks no further after so long: what is left is for the next one. */
const LOOKING_MS = 120;
const WINDOW_ROWS_MAX = 4_000;

/**
 * Calls in the order of their ids. Rows are taken by one index, window after window, and every other filter is asked of their calls: however rare a match
 * is, a page takes its time and no more.
 */
export async function listCalls(tx: Transaction, filter: AuditFilter, { after, limit, oldestFirst = false }: Place): Promise<Found> {
  const resolved = await resolveAgents(tx, filter);
  const until = performance.now() + LOOKING_MS;
  const rows: AuditRow[] = [];
  let reached = after;
  for (let size = limit * 2 + 2; ; size = Math.min(size * 2, WINDOW_ROWS_MAX)) {
    const window = { after: reached, size, oldestFirst, limit: limit + 1 - rows.length };
    const { found, scanned, last } = await readWindow(tx, resolved, window);
    rows.push(...found);
    if (rows.length > limit) return { rows: rows.slice(0, limit), reached: rows[limit - 1]?.call_id ?? null };
    if (scanned < size || last === null) return { rows, reached: null };
    reached = last;
    if (performance.now() > until) return { rows, reached };
  }
}

interface Window {
  readonly after: string | undefined;
  readonly size: number;
  readonly oldestFirst: boolean;
  readonly limit: number;
}

async function readWindow(
  tx: Transaction,
  filter: ResolvedFilter,
  { after, size, oldestFirst, limit }: Window,
): Promise<{ found: AuditRow[]; scanned: number; last: string | null }> {
  const direction = oldestFirst ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const bounds = [...idBounds(filter), ...(after === undefined ? [] : [oldestFirst ? idsAfter(after) : idsBefore(after)])];
  const taken = driversOf(filter).map(
    (driver) =>
      Prisma.sql`(SELECT day, call_id FROM audit_event WHERE ${Prisma.join([driver, ...bounds], ' AND ')} ORDER BY call_id ${direction} LIMIT ${size})`,
  );
  if (taken.length === 0) return { found: [], scanned: 0, last: null };
  const rows = await tx.$queryRaw<(AuditRow & { scanned: number; last: string | null })[]>`
    WITH taken AS MATERIALIZED (SELECT day, call_id FROM (${Prisma.join(taken, ' UNION ALL ')}) one ORDER BY call_id ${direction} LIMIT ${size}),
      calls AS (SELECT DISTINCT day, call_id FROM taken)
    SELECT w.scanned, w.last, found.* FROM (SELECT count(*)::int AS scanned, (array_agg(call_id::text ORDER BY call_id ${direction}))[count(*)::int] AS last FROM taken) w
    LEFT JOIN LATERAL (${selectCalls(Prisma.sql`calls`, conditionsOf(filter))} ORDER BY c.call_id ${direction} LIMIT ${limit}) found ON true
    ORDER BY found.call_id ${direction}`;
  const [first] = rows;
  return { found: rows.filter(({ id }) => id !== null), scanned: first?.scanned ?? 0, last: first?.last ?? null };
}

export async function findCall(tx: Transaction, callId: string): Promise<AuditRow | undefined> {
  const calls = Prisma.sql`(SELECT day, call_id FROM audit_event WHERE call_id = ${callId}::uuid ORDER BY day DESC LIMIT 1)`;
  const [row] = await tx.$queryRaw<AuditRow[]>`${selectCalls(calls, [])}`;
  return row;
}

/** Groups and owners are those of today; the trail knows agents. */
export async function resolveAgents(tx: Transaction, { agent, group, owner, ...filter }: AuditFilter): Promise<ResolvedFilter> {
  if (group === undefined && owner === undefined) return { ...filter, agents: agent === undefined ? undefined : [agent] };
  const where = {
    ...(agent === undefined ? {} : { slug: agent }),
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { memberships: { some: { group: { slug: group } } } }),
  };
  const found = await tx.agent.findMany({ where, select: { slug: true }, orderBy: { slug: 'asc' } });
  return { ...filter, agents: found.map(({ slug }) => slug) };
}
