import { Prisma, type Transaction } from '@portcullis/database';
import { trailDays } from '../audit/trail-days.js';

/** A day of the trail, in UTC. */
export interface CostDay {
  readonly start: Date;
  /** Whether its sums are there, and say what the prices of now say. */
  readonly summed: boolean;
}

/** The days of which there is a part of the trail, newest first. */
export async function costDays(tx: Transaction): Promise<CostDay[]> {
  return tx.$queryRaw<CostDay[]>`
    SELECT trail.day::timestamp AT TIME ZONE 'UTC' AS start, summed.day IS NOT NULL AND NOT EXISTS (
      SELECT FROM price_change c WHERE c.id > summed.price_change AND c.effective_from < (trail.day + 1)::timestamp AT TIME ZONE 'UTC'
    ) AS summed
    FROM (${trailDays}) trail LEFT JOIN cost_sum_day summed ON summed.day = trail.day ORDER BY trail.day DESC`;
}

/** Calls from this time on may cost something else than before: every sum of them is made anew. */
export async function pricesChanged(tx: Transaction, effectiveFrom: Date): Promise<void> {
  await tx.priceChange.create({ data: { effectiveFrom } });
}

/** The change of prices that was the last. */
export async function lastPriceChange(tx: Transaction): Promise<bigint> {
  const { _max: last } = await tx.priceChange.aggregate({ _max: { id: true } });
  return last.id ?? 0n;
}

/** The calendar month of a time, in UTC: `2026-11`. */
export const monthOf = (at: Date): string => at.toISOString().slice(0, 7);

/** SQL: the same. */
export const monthSql = (at: Prisma.Sql): Prisma.Sql => Prisma.sql`to_char(${at} AT TIME ZONE 'UTC', 'YYYY-MM')`;
