import { Prisma, type Transaction } from '@portcullis/database';
import { callRows } from './call-rows.js';
import { boundOf } from './stored-bound.js';

const ROWS_AT_ONCE = 50_000;

/**
 * Adds what was stored since the last time to the sums, each row once, whoever asks and however often. Only transactions below the oldest that still
 * runs: none of them can store anything later. Tells whether there may be more at once.
 */
export async function foldCalls(tx: Transaction): Promise<boolean> {
  const [cursor] = await tx.$queryRaw<{ from: bigint; end: bigint }[]>`
    SELECT stored_tx AS from, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS end FROM call_sum_cursor WHERE id = 1 FOR UPDATE SKIP LOCKED`;
  if (cursor === undefined || cursor.from === cursor.end) return false;
  // Counted in another database, such as the one before a restore: what of that is here nobody knows.
  const isOfAnother = cursor.from > cursor.end;
  if (isOfAnother) await tx.callSum.deleteMany();
  const from = isOfAnother ? 0n : cursor.from;
  const to = await boundOf(tx, { from, end: cursor.end, rows: ROWS_AT_ONCE });
  // So many rows are grouped in so much memory; sorted on the disk they take half as long again.
  await tx.$executeRaw`SELECT set_config('work_mem', '64MB', true)`;
  await tx.$executeRaw(addition(Prisma.sql`stored_tx >= ${from} AND stored_tx < ${to}`));
  await tx.$executeRaw(keyUses({ from, to }));
  await tx.callSumCursor.update({ where: { id: 1 }, data: { storedTx: to } });
  return to < cursor.end;
}

const addition = (where: Prisma.Sql): Prisma.Sql => Prisma.sql`
  WITH fresh AS MATERIALIZED (
    SELECT start, agent, server, tool, bucket, sum(began) AS began, sum(ended) AS ended, sum(errors) AS errors, sum(denials) AS denials,
      min(at) AS first_at, max(at) AS last_at
    FROM (${callRows(where)}) stored GROUP BY 1, 2, 3, 4, 5
  ), spread AS (
    SELECT unit, per, date_trunc(unit, start, 'UTC') AS start, CASE WHEN per IN ('agent', 'pair') THEN agent ELSE '' END AS agent,
      CASE WHEN per IN ('tool', 'pair') THEN server ELSE '' END AS server, CASE WHEN per IN ('tool', 'pair') THEN tool ELSE '' END AS tool, bucket,
      sum(began) AS began, sum(ended) AS ended, sum(errors) AS errors, sum(denials) AS denials, min(first_at) AS first_at, max(last_at) AS last_at
    FROM fresh CROSS JOIN (VALUES ('hour'), ('day')) units (unit) CROSS JOIN (VALUES ('all'), ('agent'), ('tool'), ('pair')) keys (per)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
  )
  INSERT INTO call_sum AS kept (unit, per, start, agent, server, tool, began, ended, errors, denials, first_at, last_at, latencies)
  SELECT unit, per, start, agent, server, tool, sum(began), sum(ended), sum(errors), sum(denials), min(first_at), max(last_at),
    coalesce(array_agg((bucket << 40) + ended::bigint) FILTER (WHERE bucket IS NOT NULL), '{}')
  FROM spread GROUP BY 1, 2, 3, 4, 5, 6
  ON CONFLICT (unit, per, start, agent, server, tool) DO UPDATE SET
    began = kept.began + excluded.began, ended = kept.ended + excluded.ended, errors = kept.errors + excluded.errors,
    denials = kept.denials + excluded.denials, first_at = least(kept.first_at, excluded.first_at), last_at = greatest(kept.last_at, excluded.last_at),
    latencies = joined_latencies(kept.latencies, excluded.latencies)`;

/** The minutes in which keys were last called with; a key in steady use is written once a minute. */
const keyUses = ({ from, to }: { readonly from: bigint; readonly to: bigint }): Prisma.Sql => Prisma.sql`
  INSERT INTO agent_key_use AS kept (key_id, last_used_at)
  SELECT key_id, date_trunc('minute', max(at)) FROM audit_event
  WHERE stored_tx >= ${from} AND stored_tx < ${to} AND phase <> 'outcome' AND key_id IN (SELECT id FROM agent_key) GROUP BY key_id
  ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at WHERE excluded.last_used_at > kept.last_used_at`;

/** Takes a day out of the sums. */
export async function forgetSums(tx: Transaction, day: string): Promise<void> {
  const start = new Date(`${day}T00:00:00Z`);
  await tx.callSum.deleteMany({ where: { start: { gte: start, lt: new Date(start.getTime() + 86_400_000) } } });
}
