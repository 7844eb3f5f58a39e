import { Prisma } from '@portcullis/database';

/** A call without an outcome is `pending` this long and `unknown` afterwards. */
const PENDING = '15 minutes';

/** One call: the row that began it, completed by its outcome where there is one. */
export interface AuditRow {
  readonly id: string;
  readonly call_id: string;
  readonly at: Date;
  readonly method: string;
  readonly agent: string | null;
  readonly operator: string | null;
  readonly key_id: string | null;
  readonly task: string | null;
  readonly on_behalf_of: string | null;
  readonly claimed_agent: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly definition_hash: string | null;
  readonly decision: string;
  readonly reason: string | null;
  readonly grant_id: string | null;
  readonly shadow_decision: string | null;
  readonly shadow_grant_id: string | null;
  readonly revision: number | null;
  readonly status: string;
  readonly duration_us: bigint | null;
  readonly upstream_us: bigint | null;
  readonly retries: number | null;
  readonly trace_id: string | null;
  readonly arguments: Uint8Array | null;
  readonly arguments_bytes: number | null;
  readonly arguments_capture: string | null;
  readonly arguments_cut: boolean;
  readonly result_hash: string | null;
  readonly result_bytes: bigint | null;
  readonly result_summary: Uint8Array | null;
  readonly result_capture: string | null;
  readonly result_cut: boolean;
  readonly node: string;
  readonly boot: string;
  readonly seq: bigint;
}

export const status = Prisma.sql`CASE WHEN b.phase <> 'intent' THEN b.status WHEN o.status IS NOT NULL THEN o.status
  WHEN b.at < now() - ${PENDING}::interval THEN 'unknown' ELSE 'pending' END`;

/**
 * The calls of `calls` (rows of day and call_id) that meet all conditions. A call begins with its intent, or is one row; an outcome stands alone while
 * its intent is still on the way.
 */
export function selectCalls(calls: Prisma.Sql, conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.sql`
    SELECT b.id::text AS id, b.call_id::text AS call_id, b.at, b.method, b.agent, b.operator, b.key_id, b.task, b.on_behalf_of, b.claimed_agent,
      b.server, b.tool, b.definition_hash,
      coalesce(o.decision, b.decision) AS decision, coalesce(o.reason, b.reason) AS reason, coalesce(o.grant_id, b.grant_id)::text AS grant_id,
      coalesce(o.shadow_decision, b.shadow_decision) AS shadow_decision, coalesce(o.shadow_grant_id, b.shadow_grant_id)::text AS shadow_grant_id,
      coalesce(o.revision, b.revision) AS revision, ${status} AS status, coalesce(o.duration_us, b.duration_us) AS duration_us,
      coalesce(o.upstream_us, b.upstream_us) AS upstream_us, o.retries, coalesce(o.trace_id, b.trace_id) AS trace_id, b.arguments, b.arguments_bytes,
      b.arguments_capture, b.truncated AS arguments_cut, coalesce(o.result_capture, b.result_capture) AS result_capture,
      coalesce(o.truncated, b.truncated) AS result_cut,
      coalesce(o.result_hash, b.result_hash) AS result_hash, coalesce(o.result_bytes, b.result_bytes) AS result_bytes,
      coalesce(o.result_summary, b.result_summary) AS result_summary, b.node, b.boot::text AS boot, b.seq
    FROM ${calls} c
    CROSS JOIN LATERAL (
      SELECT * FROM audit_event x WHERE x.day = c.day AND x.call_id = c.call_id ORDER BY x.phase = 'outcome', x.seq LIMIT 1
    ) b
    LEFT JOIN LATERAL (
      SELECT * FROM audit_event x WHERE b.phase = 'intent' AND x.day = c.day AND x.call_id = c.call_id AND x.phase = 'outcome' LIMIT 1
    ) o ON true
    ${conditions.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join([...conditions], ' AND ')}`}`;
}
