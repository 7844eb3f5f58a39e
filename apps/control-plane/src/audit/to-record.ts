import { AuditDecision, AuditStatus } from '@portcullis/contracts/audit';
import type { AuditRecord } from '@portcullis/contracts/api/operations';
import { z } from 'zod';
import type { AuditRow } from './select-calls.js';

const ShadowDecision = z.enum(['allow', 'deny']).nullable();
const Status = z.union([AuditStatus, z.literal('unknown')]);

/** A call as REST shows it. */
export function toRecord(row: AuditRow): AuditRecord {
  const kept = row.arguments;
  return {
    callId: row.call_id,
    timestamp: row.at.toISOString(),
    method: row.method,
    agent: row.agent,
    operator: row.operator,
    server: row.server,
    tool: row.tool,
    args: kept === null ? null : readArguments(kept),
    argsTruncated: kept !== null && row.arguments_bytes !== null && kept.length < row.arguments_bytes,
    status: Status.catch('error').parse(row.status),
    decision: AuditDecision.catch('none').parse(row.decision),
    reason: row.reason,
    grantId: row.grant_id,
    shadowDecision: ShadowDecision.catch(null).parse(row.shadow_decision),
    shadowGrantId: row.shadow_grant_id,
    keyId: row.key_id,
    task: row.task,
    onBehalfOf: row.on_behalf_of,
    claimedAgent: row.claimed_agent,
    revision: row.revision,
    definitionHash: row.definition_hash,
    durationMs: toMs(row.duration_us),
    upstreamMs: toMs(row.upstream_us),
    result: toResult(row),
    traceId: row.trace_id,
    node: row.node,
    boot: row.boot,
    seq: Number(row.seq),
  };
}

function toResult({ result_bytes: bytes, result_hash: hash, result_summary: summary }: AuditRow): AuditRecord['result'] {
  if (bytes === null && summary === null) return null;
  return { bytes: Number(bytes ?? summary?.length ?? 0), hash, summary: summary === null ? null : textOf(summary) };
}

/** What is cut is no JSON any more, and is shown as the text it is. */
function readArguments(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const toMs = (us: bigint | null): number | null => (us === null ? null : Number(us) / 1000);
