import { Prisma, type Transaction } from '@portcullis/database';
import { beganMs } from '../audit/call-began.js';
import { NAME_CHARS_MAX } from '../audit/call-rows.js';
import { boundOf } from '../audit/stored-bound.js';
import { costDays, lastPriceChange, monthOf, monthSql } from './cost-days.js';
import type { AppliedPrice } from './price-spans.js';
import { answered, answeredTools, cost, priced, readPrices, spansOf, type CostFilter } from './priced-calls.js';

const ROWS_AT_ONCE = 50_000;
const DAY_MS = 86_400_000;
const ALWAYS = { from: new Date(0), to: new Date(Date.UTC(9999, 0)) };

/**
 * Adds what calls cost that were stored since the last time, each once, whoever asks and however often; then makes the sums of one day that is not in them,
 * or that prices have changed for, from all its rows. Only transactions below the oldest that still runs. Tells whether there may be more at once.
 */
export async function foldCosts(tx: Transaction): Promise<boolean> {
  const [cursor] = await tx.$queryRaw<{ from: bigint; end: bigint }[]>`
    SELECT stored_tx AS from, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS end FROM cost_sum_cursor WHERE id = 1 FOR UPDATE SKIP LOCKED`;
  if (cursor === undefined) return false;
  const { from, end } = cursor;
  // Counted in another database, such as the one before a restore: what of that is here nobody knows.
  if (from > end) await tx.costSumDay.deleteMany();
  // Before the prices: what changes in between then counts as not known yet, and the day is made once more.
  const change = await lastPriceChange(tx);
  const prices = await readPrices(tx);
  const isFirst = (await tx.costSumDay.findFirst()) === null;
  const to = isFirst || from === end ? end : await boundOf(tx, { from, end, rows: ROWS_AT_ONCE });
  await tx.$executeRaw`SELECT set_config('work_mem', '64MB', true)`;
  if (!isFirst && to > from) await addStored(tx, prices, { from, to });
  if (to !== from) await tx.costSumCursor.update({ where: { id: 1 }, data: { storedTx: to } });
  return to < end || (await sumNextDay(tx, { prices, change, through: to }));
}

/** To the sums, and to what agents have spent. */
async function addStored(tx: Transaction, prices: readonly AppliedPrice[], { from, to }: { from: bigint; to: bigint }): Promise<void> {
  const fresh = await costsOf(tx, prices, { ...ALWAYS, stored: Prisma.sql`stored_tx >= ${from} AND stored_tx < ${to}` });
  if (fresh === undefined) return;
  await tx.$executeRaw`
    WITH fresh AS MATERIALIZED (${fresh}), spent AS (
      INSERT INTO cost_spent AS kept (month, agent, currency, micros)
      SELECT ${monthSql(Prisma.sql`start`)}, agent, currency, sum(micros) FROM fresh WHERE agent <> '' GROUP BY 1, 2, 3
      ON CONFLICT (month, agent, currency) DO UPDATE SET micros = kept.micros + excluded.micros
    ) ${intoSums}`;
}

/** What of a day is stored below `through`. The newest of all days first; when all days of its month are in the sums, they say what agents have spent. */
async function sumNextDay(
  tx: Transaction,
  { prices, change, through }: { prices: readonly AppliedPrice[]; change: bigint; through: bigint },
): Promise<boolean> {
  const left = (await costDays(tx)).filter(({ summed }) => !summed);
  const [next] = left;
  if (next === undefined) return false;
  const { start } = next;
  await forgetSumsFrom(tx, start);
  // Rows of before places were kept have none.
  const stored = Prisma.sql`(stored_tx IS NULL OR stored_tx < ${through})`;
  const all = await costsOf(tx, prices, { from: start, to: new Date(start.getTime() + DAY_MS), stored });
  if (all !== undefined) await tx.$executeRaw`WITH fresh AS MATERIALIZED (${all}) ${intoSums}`;
  await tx.costSumDay.upsert({ where: { day: start }, create: { day: start, priceChange: change }, update: { priceChange: change } });
  if (!left.some((day) => day !== next && monthOf(day.start) === monthOf(start))) await sumSpent(tx, start);
  return true;
}

/** SQL: costs of calls by hour and names; undefined where nothing costs anything. */
async function costsOf(tx: Transaction, prices: readonly AppliedPrice[], filter: CostFilter): Promise<Prisma.Sql | undefined> {
  const known = prices.filter(({ effectiveFrom }) => effectiveFrom < filter.to);
  const spans = known.length === 0 ? [] : spansOf(known, await answeredTools(tx, filter));
  if (spans.length === 0) return undefined;
  return Prisma.sql`
    SELECT date_trunc('hour', to_timestamp(${beganMs} / 1000.0), 'UTC') AS start, coalesce(e.agent, '') AS agent, e.server, left(e.tool, ${NAME_CHARS_MAX}::int) AS tool,
      p.currency, count(*) AS calls, sum(${cost}) AS micros
    FROM (${answered(filter)}) e ${priced(spans)} GROUP BY 1, 2, 3, 4, 5`;
}

/** In order, so that what is read of a day lies together, and not among its hours. */
const intoSums = Prisma.sql`
  INSERT INTO cost_sum AS kept (unit, start, agent, server, tool, currency, calls, micros)
  SELECT unit, date_trunc(unit, start, 'UTC'), agent, server, tool, currency, sum(calls), sum(micros)
  FROM fresh CROSS JOIN (VALUES ('hour'), ('day')) units (unit) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (unit, start, agent, server, tool, currency) DO UPDATE SET calls = kept.calls + excluded.calls, micros = kept.micros + excluded.micros`;

async function sumSpent(tx: Transaction, at: Date): Promise<void> {
  const [start, end] = [0, 1].map((more) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + more, 1)));
  const month = monthOf(at);
  await tx.costSpent.deleteMany({ where: { month } });
  await tx.$executeRaw`
    INSERT INTO cost_spent (month, agent, currency, micros)
    SELECT ${month}, agent, currency, sum(micros) FROM cost_sum WHERE unit = 'day' AND start >= ${start} AND start < ${end} AND agent <> '' GROUP BY agent, currency`;
}

/** The sums of a day. */
async function forgetSumsFrom(tx: Transaction, start: Date): Promise<void> {
  const end = new Date(start.getTime() + DAY_MS);
  for (const unit of ['hour', 'day']) await tx.costSum.deleteMany({ where: { unit, start: { gte: start, lt: end } } });
}

/** Takes a day out of the sums. */
export async function forgetCosts(tx: Transaction, day: string): Promise<void> {
  const start = new Date(`${day}T00:00:00Z`);
  await forgetSumsFrom(tx, start);
  await tx.costSumDay.deleteMany({ where: { day: start } });
}
