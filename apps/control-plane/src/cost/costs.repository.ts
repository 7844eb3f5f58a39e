import { Prisma, type Transaction } from '@portcullis/database';
import { idsBefore } from '../audit/audit-filter.js';
import { beganMs } from '../audit/call-began.js';
import { NAME_CHARS_MAX } from '../audit/call-rows.js';
import type { AppliedPrice } from './price-spans.js';
import { answered, answeredTools, cost, priced, spansOf, units, type CostFilter } from './priced-calls.js';

export type CostKey = 'agent' | 'server' | 'tool' | 'day' | 'month';

/** No name is an empty one. */
export interface CostRow {
  readonly agent?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly day?: string;
  readonly month?: string;
  readonly currency: string;
  readonly calls: number;
  readonly micros: string;
}

/** SQL: what an outcome `e` counts for. */
const columns: Readonly<Record<CostKey, Prisma.Sql>> = {
  agent: Prisma.sql`coalesce(e.agent, '') AS agent`,
  server: Prisma.sql`e.server AS server`,
  tool: Prisma.sql`left(e.tool, ${NAME_CHARS_MAX}::int) AS tool`,
  day: Prisma.sql`to_char(e.day, 'YYYY-MM-DD') AS day`,
  month: Prisma.sql`to_char(e.day, 'YYYY-MM') AS month`,
};

/** SQL: the names of what rows are by. */
export const keyNames: Readonly<Record<CostKey, Prisma.Sql>> = {
  agent: Prisma.sql`agent`,
  server: Prisma.sql`server`,
  tool: Prisma.sql`tool`,
  day: Prisma.sql`day`,
  month: Prisma.sql`month`,
};

/** What calls cost, from their rows: of a day at most, or of what few transactions stored, so that no statement takes long. */
export async function sumCosts(tx: Transaction, prices: readonly AppliedPrice[], filter: CostFilter, keys: readonly CostKey[]): Promise<CostRow[]> {
  const spans = prices.length === 0 ? [] : spansOf(prices, await answeredTools(tx, filter));
  if (spans.length === 0) return [];
  const by = Prisma.join([...keys.map((key) => keyNames[key]), Prisma.sql`currency`]);
  return tx.$queryRaw<CostRow[]>`
    SELECT ${by}, count(*)::float8 AS calls, sum(micros)::text AS micros
    FROM (SELECT ${Prisma.join(keys.map((key) => columns[key]))}, p.currency, ${cost} AS micros FROM (${answered(filter)}) e ${priced(spans)}) call
    GROUP BY ${by}`;
}

export interface CostedCallRow {
  readonly call_id: string;
  readonly began_ms: bigint;
  readonly agent: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly price_id: string;
  readonly result_bytes: bigint | null;
  readonly units: string | null;
  readonly currency: string;
  readonly micros: string;
}

const WINDOW_ROWS = 5_000;

/** Calls that cost something, newest first, among the next few thousand; `reached` is null where nothing is left to look at. */
export async function listCostedCalls(
  tx: Transaction,
  prices: readonly AppliedPrice[],
  filter: CostFilter,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<{ rows: CostedCallRow[]; reached: string | null }> {
  const taken = Prisma.sql`${answered(filter, before === undefined ? [] : [idsBefore(before)])} ORDER BY call_id DESC LIMIT ${WINDOW_ROWS}`;
  const window = await tx.$queryRaw<{ server: string; tool: string; last: string; scanned: number }[]>`
    SELECT e.server, e.tool, min(call_id::text) AS last, count(*)::int AS scanned FROM (${taken}) e GROUP BY e.server, e.tool`;
  const scanned = window.reduce((sum, row) => sum + row.scanned, 0);
  const end = scanned < WINDOW_ROWS ? null : (window.map(({ last }) => last).sort()[0] ?? null);
  const spans = spansOf(prices, window);
  if (spans.length === 0) return { rows: [], reached: end };
  const rows = await tx.$queryRaw<CostedCallRow[]>`
    SELECT call_id::text AS call_id, ${beganMs} AS began_ms, e.agent, e.server, e.tool, p.id::text AS price_id, e.result_bytes, ${units}::text AS units, p.currency,
      ${cost}::text AS micros
    FROM (${taken}) e ${priced(spans)} ORDER BY call_id DESC LIMIT ${limit + 1}`;
  return rows.length > limit ? { rows: rows.slice(0, limit), reached: rows[limit - 1]?.call_id ?? null } : { rows, reached: end };
}
