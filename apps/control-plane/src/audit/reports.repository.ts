import type { AuditAggregatesQuery } from '@portcullis/contracts/api/audit-reports';
import { Prisma, type Transaction } from '@portcullis/database';
import { summedCalls, summedThrough, type Period } from './summed-calls.js';

const LOOK_BACK_MS = 30 * 86_400_000;

/** Names are empty where there are none. */
export interface AggregateRow {
  readonly agent?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly at?: Date;
  readonly calls: number;
  readonly errors: number;
  readonly denials: number;
  readonly open: number;
  /** Buckets of the durations that half of the calls did not exceed, 95 and 99 of a hundred; null where none was answered. */
  readonly latencies: readonly number[] | null;
}

interface Grouping {
  readonly by: readonly ('agent' | 'server' | 'tool')[];
  readonly key: Prisma.Sql;
  readonly order: Prisma.Sql;
}

const at: Omit<Grouping, 'by'> = { key: Prisma.sql`at`, order: Prisma.sql`at` };

const groupings: Readonly<Record<AuditAggregatesQuery['by'], Grouping>> = {
  agent: { by: ['agent'], key: Prisma.sql`agent`, order: Prisma.sql`calls DESC, agent` },
  server: { by: ['server'], key: Prisma.sql`server`, order: Prisma.sql`calls DESC, server` },
  tool: { by: ['server', 'tool'], key: Prisma.sql`server, tool`, order: Prisma.sql`calls DESC, server, tool` },
  hour: { by: [], ...at },
  day: { by: [], ...at },
};

/** One more than `limit`. */
export async function aggregateCalls(
  tx: Transaction,
  period: Period,
  { by, limit }: Pick<AuditAggregatesQuery, 'by' | 'limit'>,
): Promise<AggregateRow[]> {
  const { key, order, by: names } = groupings[by];
  const through = await summedThrough(tx);
  const unit = by === 'day' ? 'day' : 'hour';
  return tx.$queryRaw<AggregateRow[]>`
    WITH part AS MATERIALIZED (
      SELECT agent, server, tool, date_trunc(${unit}, start, 'UTC') AS at, began, ended, errors, denials, latencies
      FROM (${summedCalls(period, { by: names, hourly: by === 'hour', through })}) summed
    ), top AS (
      SELECT ${key}, sum(began)::int AS calls, sum(errors)::int AS errors, sum(denials)::int AS denials, greatest(0, sum(began) - sum(ended))::int AS open
      FROM part GROUP BY ${key} ORDER BY ${order} LIMIT ${limit + 1}
    ), bucketed AS (
      SELECT ${key}, one >> 40 AS bucket, sum(one & 1099511627775) AS calls FROM part JOIN top USING (${key}) CROSS JOIN unnest(latencies) one GROUP BY ${key}, bucket
    ), ranked AS (
      SELECT ${key}, bucket, sum(calls) OVER (PARTITION BY ${key} ORDER BY bucket) AS through, sum(calls) OVER (PARTITION BY ${key}) AS whole FROM bucketed
    ), latency AS (
      SELECT ${key}, ARRAY[min(bucket) FILTER (WHERE through >= 0.5 * whole), min(bucket) FILTER (WHERE through >= 0.95 * whole),
        min(bucket) FILTER (WHERE through >= 0.99 * whole)]::int[] AS latencies
      FROM ranked GROUP BY ${key}
    )
    SELECT * FROM top LEFT JOIN latency USING (${key}) ORDER BY ${order}`;
}

export interface PairRow {
  readonly agent: string;
  readonly server: string;
  readonly tool: string;
  readonly calls: number;
  readonly denials: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly is_new: boolean;
}

/** One more than `limit`. What was used in the thirty days before is not new. */
export async function pairsOf(tx: Transaction, period: Period, { onlyNew, limit }: { onlyNew: boolean; limit: number }): Promise<PairRow[]> {
  const before = { ...period, from: new Date(period.from.getTime() - LOOK_BACK_MS), to: period.from };
  const options = { by: ['agent', 'server', 'tool'], hourly: false, through: await summedThrough(tx) } as const;
  return tx.$queryRaw<PairRow[]>`
    WITH used AS (
      SELECT agent, server, tool, sum(began)::int AS calls, sum(denials)::int AS denials, min(first_at) AS first_at, max(last_at) AS last_at
      FROM (${summedCalls(period, options)}) summed GROUP BY agent, server, tool HAVING sum(began) > 0
    ), earlier AS (SELECT DISTINCT agent, server, tool FROM (${summedCalls(before, options)}) summed WHERE began > 0)
    SELECT * FROM (
      SELECT used.*, e.agent IS NULL AS is_new FROM used LEFT JOIN earlier e USING (agent, server, tool)
    ) pair ${onlyNew ? Prisma.sql`WHERE is_new` : Prisma.empty} ORDER BY calls DESC, agent, server, tool LIMIT ${limit + 1}`;
}
