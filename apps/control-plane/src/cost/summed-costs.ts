import { Prisma, type Transaction } from '@portcullis/database';
import { NAME_CHARS_MAX } from '../audit/call-rows.js';
import { costDays, type CostDay } from './cost-days.js';
import { keyNames, sumCosts, type CostKey, type CostRow } from './costs.repository.js';
import type { AppliedPrice } from './price-spans.js';
import { named, readPrices, type CostFilter } from './priced-calls.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What is known of a period's costs: sums, and the parts whose calls have to be read one by one, at these prices. Each call is in one of them. */
export interface SummedCosts {
  readonly rows: CostRow[];
  readonly rest: readonly CostFilter[];
  readonly prices: readonly AppliedPrice[];
}

/** All of `tx` has to see the same: the prices that sums were made by, the sums, and what was stored behind them. */
export async function summedCosts(tx: Transaction, wanted: CostFilter, keys: readonly CostKey[]): Promise<SummedCosts> {
  const prices = await readPrices(tx);
  const firstMs = Math.min(...prices.map(({ effectiveFrom }) => effectiveFrom.getTime()));
  const filter = { ...wanted, from: new Date(Math.max(wanted.from.getTime(), firstMs)) };
  if (prices.length === 0 || filter.from >= filter.to) return { rows: [], rest: [], prices };
  const { days, hours, rest } = partsOf(filter, await costDays(tx));
  if (days.length + hours.length === 0) return { rows: [], rest, prices };
  const { storedTx } = await tx.costSumCursor.findUniqueOrThrow({ where: { id: 1 } });
  const summed = [...days, ...hours.map(({ from }) => startOf(DAY_MS, from))].map((day) => day.toISOString().slice(0, 10));
  const stored = Prisma.sql`stored_tx >= ${storedTx} AND day = ANY(${summed}::text[]::date[])`;
  const behind = await sumCosts(tx, prices, { ...filter, ...wholeHours(filter), stored }, keys);
  return { rows: [...(await readSums(tx, filter, { days, hours }, keys)), ...behind], rest, prices };
}

interface Parts {
  readonly days: readonly Date[];
  readonly hours: readonly { readonly from: Date; readonly to: Date }[];
}

/** Whole days and hours of days that are in the sums; what is left is read: less than an hour at each end, and days that are not. */
function partsOf(filter: CostFilter, known: readonly CostDay[]): Parts & { readonly rest: CostFilter[] } {
  const whole = wholeHours(filter);
  if (whole.from >= whole.to) return { days: [], hours: [], rest: [filter] };
  const days: Date[] = [];
  const hours: { from: Date; to: Date }[] = [];
  const rest = [
    { ...filter, to: whole.from },
    { ...filter, from: whole.to },
  ].filter(({ from, to }) => from < to);
  // Sums keep the beginnings of names alone.
  const isSummed = (filter.tool?.length ?? 0) <= NAME_CHARS_MAX;
  for (const { start, summed } of known) {
    const end = new Date(start.getTime() + DAY_MS);
    const part = { from: start > whole.from ? start : whole.from, to: end < whole.to ? end : whole.to };
    if (part.from >= part.to) continue;
    if (!summed || !isSummed) rest.push({ ...filter, ...part });
    else if (part.from === start && part.to === end) days.push(start);
    else hours.push(part);
  }
  return { days, hours, rest };
}

const startOf = (unitMs: number, at: Date): Date => new Date(Math.floor(at.getTime() / unitMs) * unitMs);

const wholeHours = ({ from, to }: CostFilter): { from: Date; to: Date } => ({
  from: startOf(HOUR_MS, new Date(from.getTime() + HOUR_MS - 1)),
  to: startOf(HOUR_MS, to),
});

/** SQL: what a sum counts for. */
const columns: Readonly<Record<CostKey, Prisma.Sql>> = {
  agent: keyNames.agent,
  server: keyNames.server,
  tool: keyNames.tool,
  day: Prisma.sql`to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day`,
  month: Prisma.sql`to_char(start AT TIME ZONE 'UTC', 'YYYY-MM') AS month`,
};

/** SQL: the smallest sums that have all of the names that are asked for or by, and what they are picked by. */
function sumsWith(filter: CostFilter, keys: readonly CostKey[]): { readonly table: Prisma.Sql; readonly kind: Prisma.Sql[] } {
  const byAgent = filter.agent !== undefined || keys.includes('agent');
  const byTool = filter.server !== undefined || filter.tool !== undefined || keys.some((key) => key === 'server' || key === 'tool');
  if (byAgent && byTool) return { table: Prisma.sql`cost_sum`, kind: [] };
  return { table: Prisma.sql`cost_total`, kind: [Prisma.sql`per = ${byTool ? 'tool' : 'agent'}`] };
}

async function readSums(tx: Transaction, filter: CostFilter, { days, hours }: Parts, keys: readonly CostKey[]): Promise<CostRow[]> {
  const selected = Prisma.join([...keys.map((key) => columns[key]), Prisma.sql`currency, calls, micros`]);
  const parts = [
    Prisma.sql`unit = 'day' AND start = ANY(${days.map((day) => day.toISOString())}::text[]::timestamptz[])`,
    ...hours.map(({ from, to }) => Prisma.sql`unit = 'hour' AND start >= ${from} AND start < ${to}`),
  ];
  const { table, kind } = sumsWith(filter, keys);
  const sums = parts.map((part) => Prisma.sql`SELECT ${selected} FROM ${table} WHERE ${Prisma.join([...kind, part, ...named(filter)], ' AND ')}`);
  const by = Prisma.join([...keys.map((key) => keyNames[key]), Prisma.sql`currency`]);
  return tx.$queryRaw<CostRow[]>`
    SELECT ${by}, sum(calls)::float8 AS calls, sum(micros)::text AS micros FROM (${Prisma.join(sums, ' UNION ALL ')}) part GROUP BY ${by}`;
}
