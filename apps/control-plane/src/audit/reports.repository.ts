import type { AuditAggregatesQuery } from '@portcullis/contracts/api/audit-reports';
import { Prisma, type Transaction } from '@portcullis/database';
import { callKinds } from '../drafts/recorded-calls.js';
import { idBoundsOf } from './audit-filter.js';
import { beganMs } from './call-began.js';

export interface Period {
  readonly from: Date;
  readonly to: Date;
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

const DAY_MS = 86_400_000;
const LOOK_BACK_MS = 30 * DAY_MS;

/** Both rows of a call carry its id, so that neither is in a period without the other. */
function within({ from, to, agent, server, tool }: Period): Prisma.Sql {
  const named = Object.entries({ agent, server, tool });
  const conditions = named.flatMap(([name, value]) => (value === undefined ? [] : [Prisma.sql`${Prisma.raw(name)} = ${value}`]));
  return Prisma.join([idBoundsOf(from, to), Prisma.sql`method = ANY(${Object.keys(callKinds)})`, ...conditions], ' AND ');
}

export interface AggregateRow {
  readonly agent?: string | null;
  readonly server?: string | null;
  readonly tool?: string | null;
  readonly at?: Date;
  readonly calls: number;
  readonly errors: number;
  readonly denials: number;
  readonly open: number;
  readonly latencies: readonly number[] | null;
}

const began = Prisma.sql`to_timestamp(${beganMs} / 1000.0) AT TIME ZONE 'UTC'`;
const inUtc = (unit: string): Prisma.Sql => Prisma.sql`date_trunc(${unit}, ${began}) AT TIME ZONE 'UTC'`;

const groupings: Readonly<Record<AuditAggregatesQuery['by'], { readonly key: Prisma.Sql; readonly order: Prisma.Sql }>> = {
  agent: { key: Prisma.sql`agent`, order: Prisma.sql`calls DESC, 1` },
  server: { key: Prisma.sql`server`, order: Prisma.sql`calls DESC, 1` },
  tool: { key: Prisma.sql`server, tool`, order: Prisma.sql`calls DESC, 1, 2` },
  hour: { key: Prisma.sql`at`, order: Prisma.sql`1` },
  day: { key: Prisma.sql`at`, order: Prisma.sql`1` },
};

/** One more than `limit`. */
export async function aggregateCalls(
  tx: Transaction,
  period: Period,
  { by, limit }: Pick<AuditAggregatesQuery, 'by' | 'limit'>,
): Promise<AggregateRow[]> {
  const { key, order } = groupings[by];
  const at = by === 'hour' || by === 'day' ? Prisma.sql`, ${inUtc(by)} AS at` : Prisma.empty;
  return tx.$queryRaw<AggregateRow[]>`
    SELECT ${key}, (count(*) FILTER (WHERE began))::int AS calls,
      (count(*) FILTER (WHERE ended AND status IN ('tool_error', 'upstream_error', 'timeout', 'error')))::int AS errors,
      (count(*) FILTER (WHERE ended AND decision = 'deny'))::int AS denials, greatest(0, count(*) FILTER (WHERE began) - count(*) FILTER (WHERE ended))::int AS open,
      percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_us / 1000.0::float8) FILTER (WHERE ended AND decision <> 'deny') AS latencies
    FROM (
      SELECT agent, server, tool, status, decision, duration_us, phase <> 'outcome' AS began, phase <> 'intent' AS ended ${at}
      FROM audit_event WHERE ${within(period)}
    ) call GROUP BY ${key} ORDER BY ${order} LIMIT ${limit + 1}`;
}

export interface PairRow {
  readonly agent: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly calls: number;
  readonly denials: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly is_new: boolean;
}

/** One more than `limit`. What was used in the thirty days before is not new. */
export async function pairsOf(tx: Transaction, period: Period, { onlyNew, limit }: { onlyNew: boolean; limit: number }): Promise<PairRow[]> {
  const before = { ...period, from: new Date(period.from.getTime() - LOOK_BACK_MS), to: period.from };
  return tx.$queryRaw<PairRow[]>`
    WITH used AS (
      SELECT agent, server, tool, count(*)::int AS calls, (count(*) FILTER (WHERE decision = 'deny'))::int AS denials, min(at) AS first_at, max(at) AS last_at
      FROM audit_event WHERE ${within(period)} AND phase <> 'outcome' GROUP BY agent, server, tool
    ), earlier AS (SELECT DISTINCT agent, server, tool FROM audit_event WHERE ${within(before)} AND phase <> 'outcome')
    SELECT * FROM (
      SELECT used.*, NOT EXISTS (SELECT 1 FROM earlier e
        WHERE e.agent IS NOT DISTINCT FROM used.agent AND e.server IS NOT DISTINCT FROM used.server AND e.tool IS NOT DISTINCT FROM used.tool) AS is_new FROM used
    ) pair ${onlyNew ? Prisma.sql`WHERE is_new` : Prisma.empty} ORDER BY calls DESC, agent, server, tool LIMIT ${limit + 1}`;
}
