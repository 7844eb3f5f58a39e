import { Prisma, type Transaction } from '@portcullis/database';
import { idAt, idBoundsOf, idsBefore } from '../audit/audit-filter.js';
import { beganMs } from '../audit/call-began.js';
import { priceSpans, type AppliedPrice } from './price-spans.js';

/** Which calls are meant: those that began in this time. */
export interface CostFilter {
  readonly from: Date;
  readonly to: Date;
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  /** Of what is stored, only this. */
  readonly stored?: Prisma.Sql | undefined;
}

export async function readPrices(tx: Transaction): Promise<AppliedPrice[]> {
  return tx.price.findMany({ orderBy: { id: 'asc' } });
}

/** What servers have answered, whatever they said. A call that nobody answered costs nothing. */
const answered = ({ from, to, agent, server, tool, stored }: CostFilter): Prisma.Sql => {
  const named = Object.entries({ agent, server, tool }).flatMap(([name, value]) =>
    value === undefined ? [] : [Prisma.sql`${Prisma.raw(`e.${name}`)} = ${value}`],
  );
  const what = Prisma.sql`phase = 'outcome' AND method = 'tools/call' AND status IN ('success', 'tool_error') AND e.tool IS NOT NULL`;
  const bounds = [idBoundsOf(from, to), Prisma.sql`call_id >= ${idAt(from.getTime())}::uuid`, ...(stored === undefined ? [] : [stored])];
  return Prisma.join([...bounds, what, ...named], ' AND ');
};

interface Span {
  readonly server: string;
  readonly tool: string;
  readonly from_ms: number;
  readonly to_ms: number | null;
  readonly id: string;
  readonly basis: string;
  readonly unit: string | null;
  readonly amount: string;
  readonly per: string;
  readonly currency: string;
}

/** Prices as rows to be joined with calls of these tools. */
function spansOf(prices: readonly AppliedPrice[], pairs: readonly { server: string; tool: string }[]): Span[] {
  return pairs.flatMap(({ server, tool }) =>
    priceSpans(prices, server, tool).map(({ price, fromMs, toMs }) => {
      const { id, basis, unit, amountMicros, per, currency } = price;
      return { server, tool, from_ms: fromMs, to_ms: toMs, id, basis, unit, amount: String(amountMicros), per: String(per), currency };
    }),
  );
}

/** In millionths; null where the result did not report it. */
const units = Prisma.sql`(e.units ->> p.unit)::numeric`;

/** Each call is rounded by itself, half a millionth up: sums of calls are then sums of whole numbers. */
const cost = Prisma.sql`CASE p.basis WHEN 'call' THEN p.amount
  WHEN 'unit' THEN div(2 * p.amount * coalesce(${units}, 0) + p.per * 1000000, 2 * p.per * 1000000)
  ELSE div(2 * p.amount * coalesce(e.result_bytes, 0) + p.per, 2 * p.per) END`;

const priced = (spans: readonly Span[]): Prisma.Sql => Prisma.sql`
  JOIN json_to_recordset(${JSON.stringify(spans)}::json)
    AS p (server text, tool text, from_ms bigint, to_ms bigint, id uuid, basis text, unit text, amount numeric, per numeric, currency text)
  ON p.server = e.server AND p.tool = e.tool AND ${beganMs} >= p.from_ms AND (p.to_ms IS NULL OR ${beganMs} < p.to_ms)`;

export type CostKey = 'agent' | 'server' | 'tool';

export interface CostRow {
  readonly agent?: string | null;
  readonly server?: string | null;
  readonly tool?: string | null;
  readonly currency: string;
  readonly calls: number;
  readonly micros: string;
}

/** Sums of one day at most, so that no statement takes long. */
export async function sumCosts(tx: Transaction, prices: readonly AppliedPrice[], filter: CostFilter, keys: readonly CostKey[]): Promise<CostRow[]> {
  const pairs = await tx.$queryRaw<{ server: string; tool: string }[]>`
    SELECT DISTINCT e.server, e.tool FROM audit_event e WHERE ${answered(filter)} AND e.server IS NOT NULL`;
  const spans = spansOf(prices, pairs);
  if (spans.length === 0) return [];
  const by = Prisma.join([...keys.map((key) => Prisma.raw(`e.${key}`)), Prisma.sql`p.currency`]);
  return tx.$queryRaw<CostRow[]>`
    SELECT ${by}, count(*)::int AS calls, sum(${cost})::text AS micros
    FROM audit_event e ${priced(spans)} WHERE ${answered(filter)} GROUP BY ${by} ORDER BY ${by}`;
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
  const bounds = Prisma.join([answered(filter), ...(before === undefined ? [] : [idsBefore(before)])], ' AND ');
  const taken = Prisma.sql`SELECT e.* FROM audit_event e WHERE ${bounds} ORDER BY call_id DESC LIMIT ${WINDOW_ROWS}`;
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
