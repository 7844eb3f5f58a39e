import { Prisma, type Transaction } from '@portcullis/database';
import { idAt, idBoundsOf } from '../audit/audit-filter.js';
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

const equals = {
  agent: (name: string) => Prisma.sql`agent = ${name}`,
  server: (name: string) => Prisma.sql`server = ${name}`,
  tool: (name: string) => Prisma.sql`tool = ${name}`,
};

/** The names that are asked for. */
export const named = (filter: CostFilter): Prisma.Sql[] =>
  (['agent', 'server', 'tool'] as const).flatMap((key) => {
    const name = filter[key];
    return name === undefined ? [] : [equals[key](name)];
  });

/** SQL: outcomes of what servers have answered, whatever they said. A call that nobody answered costs nothing. */
export function answered(filter: CostFilter, more: readonly Prisma.Sql[] = []): Prisma.Sql {
  const { from, to, stored = Prisma.sql`true` } = filter;
  const what = Prisma.sql`phase = 'outcome' AND method = 'tools/call' AND status IN ('success', 'tool_error') AND tool IS NOT NULL AND server IS NOT NULL`;
  const bounds = [idBoundsOf(from, to), Prisma.sql`call_id >= ${idAt(from.getTime())}::uuid`, stored];
  return Prisma.sql`SELECT * FROM audit_event WHERE ${Prisma.join([...bounds, what, ...named(filter), ...more], ' AND ')}`;
}

/** Which tools of which servers answered. */
export async function answeredTools(tx: Transaction, filter: CostFilter): Promise<{ server: string; tool: string }[]> {
  return tx.$queryRaw`SELECT DISTINCT server, tool FROM (${answered(filter)}) e`;
}

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
export function spansOf(prices: readonly AppliedPrice[], tools: readonly { server: string; tool: string }[]): Span[] {
  return tools.flatMap(({ server, tool }) =>
    priceSpans(prices, server, tool).map(({ price, fromMs, toMs }) => {
      const { id, basis, unit, amountMicros, per, currency } = price;
      return { server, tool, from_ms: fromMs, to_ms: toMs, id, basis, unit, amount: String(amountMicros), per: String(per), currency };
    }),
  );
}

/** SQL, of an outcome `e` and its price `p`, in millionths; null where the result did not report it. */
export const units = Prisma.sql`(e.units ->> p.unit)::numeric`;

/** SQL, of an outcome `e` and its price `p`. Each call is rounded by itself, half a millionth up: sums of calls are then sums of whole numbers. */
export const cost = Prisma.sql`CASE p.basis WHEN 'call' THEN p.amount
  WHEN 'unit' THEN div(2 * p.amount * coalesce(${units}, 0) + p.per * 1000000, 2 * p.per * 1000000)
  ELSE div(2 * p.amount * coalesce(e.result_bytes, 0) + p.per, 2 * p.per) END`;

/** SQL: joins outcomes `e` with the price `p` of each. */
export const priced = (spans: readonly Span[]): Prisma.Sql => Prisma.sql`
  JOIN json_to_recordset(${JSON.stringify(spans)}::json)
    AS p (server text, tool text, from_ms bigint, to_ms bigint, id uuid, basis text, unit text, amount numeric, per numeric, currency text)
  ON p.server = e.server AND p.tool = e.tool AND ${beganMs} >= p.from_ms AND (p.to_ms IS NULL OR ${beganMs} < p.to_ms)`;
