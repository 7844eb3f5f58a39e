import type { Transaction } from '@portcullis/database';
import { boundOf } from '../audit/stored-bound.js';
import { callKinds } from '../drafts/recorded-calls.js';

/** Calls of one minute that ended, as far as they were stored in this round. */
export interface FreshUsage {
  readonly minute: Date;
  readonly agent: string;
  readonly server: string;
  readonly tool: string;
}

/** An agent's first allowed call of a tool. */
export interface FirstUse {
  readonly agent: string;
  readonly server: string;
  readonly tool: string;
  readonly at: Date;
}

/** Transactions from `from` on, below `to`. */
export interface StoredRange {
  readonly from: bigint;
  readonly to: bigint;
}

const ROWS_AT_ONCE = 20_000;

/**
 * What was stored since the last round, as far as one round looks. Only transactions below the oldest that still runs: none of them can store anything
 * later, so nothing is overlooked or counted twice. Undefined where there is nothing to look at.
 */
export async function nextRange(tx: Transaction): Promise<StoredRange | undefined> {
  const [cursor] = await tx.$queryRaw<{ from: bigint; end: bigint }[]>`
    SELECT stored_tx AS from, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS end FROM alert_cursor WHERE id = 1 FOR UPDATE`;
  if (cursor === undefined) return undefined;
  // A place that is still to come is of another database, such as the one before a restore.
  const from = cursor.from > cursor.end ? cursor.end : cursor.from;
  if (from === cursor.end) return undefined;
  return { from, to: await boundOf(tx, { from, end: cursor.end, rows: ROWS_AT_ONCE }) };
}

export async function moveCursor(tx: Transaction, { to }: StoredRange): Promise<void> {
  await tx.alertCursor.update({ where: { id: 1 }, data: { storedTx: to } });
}

/**
 * Counts what was stored. Servers and tools count by name only where they are known ones: what an agent types must not fill tables. A tool's name is kept
 * of allowed calls alone, for the same reason.
 */
export async function foldUsage(tx: Transaction, { from, to }: StoredRange): Promise<{ usage: FreshUsage[]; firstUses: FirstUse[] }> {
  const rows = await tx.$queryRaw<(FreshUsage & { is_first: boolean; at: Date })[]>`
    WITH fresh AS MATERIALIZED (
      SELECT date_trunc('minute', at) AS minute, coalesce(agent, '') AS agent, CASE WHEN server_id IS NULL THEN '' ELSE coalesce(server, '') END AS server,
        CASE WHEN decision = 'allow' AND method IN ('tools/call', 'prompts/get') THEN coalesce(tool, '') ELSE '' END AS tool, min(at) AS at,
        count(*)::int AS calls, (count(*) FILTER (WHERE decision = 'deny'))::int AS denials,
        (count(*) FILTER (WHERE status IN ('tool_error', 'upstream_error', 'timeout', 'error')))::int AS errors
      FROM audit_event
      WHERE stored_tx >= ${from} AND stored_tx < ${to} AND phase <> 'intent' AND method = ANY(${Object.keys(callKinds)})
      GROUP BY 1, 2, 3, 4
    ), minutes AS (
      INSERT INTO usage_minute AS kept (minute, agent, server, tool, calls, denials, errors)
      SELECT minute, agent, server, tool, calls, denials, errors FROM fresh WHERE minute > now() - interval '3 hours'
      ON CONFLICT (minute, agent, server, tool) DO UPDATE
        SET calls = kept.calls + excluded.calls, denials = kept.denials + excluded.denials, errors = kept.errors + excluded.errors
    ), hours AS (
      INSERT INTO usage_hour AS kept (hour, agent, server, tool, calls)
      SELECT date_trunc('hour', minute, 'UTC'), agent, server, tool, sum(calls) FROM fresh WHERE minute > now() - interval '35 days' GROUP BY 1, 2, 3, 4
      ON CONFLICT (hour, agent, server, tool) DO UPDATE SET calls = kept.calls + excluded.calls
    ), pairs AS (
      INSERT INTO usage_pair (agent, server, tool, first_at)
      SELECT agent, server, tool, min(at) FROM fresh WHERE agent <> '' AND tool <> '' GROUP BY 1, 2, 3
      ON CONFLICT DO NOTHING RETURNING agent, server, tool, first_at
    )
    SELECT minute, agent, server, tool, at, false AS is_first FROM fresh
    UNION ALL SELECT NULL, agent, server, tool, first_at, true FROM pairs`;
  return {
    usage: rows.filter(({ is_first: isFirst }) => !isFirst),
    firstUses: rows.filter(({ is_first: isFirst }) => isFirst),
  };
}

/** Minutes are for bursts and the hour that a volume is taken of, hours for its history. */
export async function forgetUsage(tx: Transaction): Promise<void> {
  await tx.$executeRaw`DELETE FROM usage_minute WHERE minute < now() - interval '3 hours'`;
  await tx.$executeRaw`DELETE FROM usage_hour WHERE hour < now() - interval '35 days'`;
}
