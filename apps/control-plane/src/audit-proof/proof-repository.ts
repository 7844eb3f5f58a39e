import type { AuditProofRow } from '@portcullis/contracts/api/audit-proof';
import type { AuditEvent } from '@portcullis/contracts/audit';
import type { Transaction } from '@portcullis/database';

type Database = Pick<Transaction, '$queryRaw'>;

const ROWS_AT_ONCE = 2000;

/** A row as Postgres gives it: numbers that may be large as bigint, everything else as it is. */
type Row = Omit<AuditEvent, 'seq' | 'at' | 'durationUs' | 'upstreamUs' | 'resultBytes' | 'arguments' | 'resultSummary'> & {
  readonly day: string;
  readonly node: string;
  readonly boot: string;
  readonly seq: bigint;
  readonly at: bigint;
  readonly durationUs: bigint | null;
  readonly upstreamUs: bigint | null;
  readonly resultBytes: bigint | null;
  readonly arguments: Uint8Array | null;
  readonly resultSummary: Uint8Array | null;
  readonly requestId: string | null;
  readonly hash: Uint8Array | null;
  readonly frame: Uint8Array | null;
  readonly chain: Uint8Array | null;
};

/** The rows that these transactions stored, by day, node, boot and number, some at a time. */
export async function* rowsOfTransactions(database: Database, [from, through]: readonly [string, string]): AsyncGenerator<AuditProofRow[]> {
  let after = { day: '0001-01-01', node: '', boot: '00000000-0000-0000-0000-000000000000', seq: 0n };
  for (;;) {
    const rows = await database.$queryRaw<Row[]>`
      SELECT day::text AS day, node, boot::text AS boot, seq, id::text AS id, call_id::text AS "callId", phase, round(extract(epoch FROM at) * 1000)::bigint AS at,
        method, agent_id::text AS "agentId", agent, key_id AS "keyId", operator, server_id::text AS "serverId", server, tool,
        definition_hash AS "definitionHash", decision, reason, grant_id::text AS "grantId", epoch, revision, status, duration_us AS "durationUs",
        upstream_us AS "upstreamUs", era, trace_id AS "traceId", arguments_hash AS "argumentsHash", arguments_bytes AS "argumentsBytes", arguments,
        result_hash AS "resultHash", result_bytes AS "resultBytes", result_summary AS "resultSummary", truncated, shadow_decision AS "shadowDecision",
        shadow_grant_id::text AS "shadowGrantId", task, on_behalf_of AS "onBehalfOf", claimed_agent AS "claimedAgent", units,
        arguments_capture AS "argumentsCapture", result_capture AS "resultCapture", retries, request_id::text AS "requestId", hash, frame, chain
      FROM audit_event WHERE stored_tx >= ${BigInt(from)} AND stored_tx < ${BigInt(through)}
        AND (audit_event.day, audit_event.node, audit_event.boot, audit_event.seq) > (${after.day}::date, ${after.node}, ${after.boot}::uuid, ${after.seq})
      ORDER BY audit_event.day, audit_event.node, audit_event.boot, audit_event.seq LIMIT ${ROWS_AT_ONCE}`;
    if (rows.length > 0) yield rows.map(toProofRow);
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = last;
  }
}

function toProofRow({ day, node, boot, requestId, hash, frame, chain, ...row }: Row): AuditProofRow {
  const event: AuditEvent = {
    ...row,
    seq: Number(row.seq),
    at: Number(row.at),
    durationUs: numberOf(row.durationUs),
    upstreamUs: numberOf(row.upstreamUs),
    resultBytes: numberOf(row.resultBytes),
    arguments: base64Of(row.arguments),
    resultSummary: base64Of(row.resultSummary),
  };
  return { day, node, boot, event, requestId, hash: base64Of(hash), frame: base64Of(frame), chain: base64Of(chain) };
}

const numberOf = (value: bigint | null): number | null => (value === null ? null : Number(value));
const base64Of = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
