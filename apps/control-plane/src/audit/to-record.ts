import { AuditDecision, AuditStatus } from '@portcullis/contracts/audit';
import { CaptureMode } from '@portcullis/contracts/capture';
import type { AuditRecord } from '@portcullis/contracts/api/operations';
import { parseJson } from '@portcullis/mcp';
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
    argsTruncated: isCut({ kept, bytes: row.arguments_bytes, capture: row.arguments_capture, cut: row.arguments_cut }),
    argsCapture: toCapture(row.arguments_capture),
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

function toResult(row: AuditRow): AuditRecord['result'] {
  const { result_hash: hash, result_summary: kept, result_capture: capture, result_cut: cut } = row;
  if (row.result_bytes === null && kept === null) return null;
  const bytes = Number(row.result_bytes ?? kept?.length ?? 0);
  const summary = kept === null ? null : textOf(kept);
  return { bytes, hash, summary, truncated: isCut({ kept, bytes, capture, cut }), capture: toCapture(capture) };
}

interface Kept {
  readonly kept: Uint8Array | null;
  readonly bytes: number | null;
  readonly capture: string | null;
  readonly cut: boolean;
}

/** What was replaced may be longer than its marker, or shorter: only its node knows whether something is missing. */
const isCut = ({ kept, bytes, capture, cut }: Kept): boolean =>
  kept !== null && (capture === 'redacted' ? cut : bytes !== null && kept.length < bytes);

const toCapture = (capture: string | null): CaptureMode => CaptureMode.catch('full').parse(capture ?? 'full');

/** What is cut is no JSON any more, and is shown as the text it is. */
function readArguments(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const toMs = (us: bigint | null): number | null => (us === null ? null : Number(us) / 1000);
