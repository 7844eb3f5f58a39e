import type { AuditBatch, AuditEvent } from '@portcullis/contracts/audit';
import { isReproducible, QUARANTINED, type DecodedBatch, type UnreadableEvent } from '@portcullis/audit';
import { hash } from 'node:crypto';
import { hasDay, NO_DAY_MS, timeIn } from './stray-events.js';

/** An event as its node wrote it. */
export type EventFrame = DecodedBatch['frames'][number];

/** One row of `audit_event` as JSON: keys are column names, bytes are base64. */
export interface EventRow {
  readonly day: string;
  readonly [column: string]: string | number | boolean | Readonly<Record<string, number>> | null;
}

/** `event` as `sanitiseEvent` gives it; `frame` is its payload as it came. */
export function rowOf({ node, boot }: AuditBatch, event: AuditEvent, { payload, hash: digest }: EventFrame): EventRow {
  return {
    day: dayOf(event.callId),
    node,
    boot,
    seq: event.seq,
    id: event.id,
    call_id: event.callId,
    phase: event.phase,
    at: event.at,
    method: event.method,
    agent_id: event.agentId,
    agent: event.agent,
    key_id: event.keyId,
    operator: event.operator,
    server_id: event.serverId,
    server: event.server,
    tool: event.tool,
    definition_hash: event.definitionHash,
    decision: event.decision,
    reason: event.reason,
    grant_id: event.grantId,
    epoch: event.epoch,
    revision: event.revision,
    status: event.status,
    duration_us: event.durationUs,
    upstream_us: event.upstreamUs,
    era: event.era,
    trace_id: event.traceId,
    arguments_hash: event.argumentsHash,
    arguments_bytes: event.argumentsBytes,
    arguments: event.arguments,
    result_hash: event.resultHash,
    result_bytes: event.resultBytes,
    result_summary: event.resultSummary,
    truncated: event.truncated,
    shadow_decision: event.shadowDecision ?? null,
    shadow_grant_id: event.shadowGrantId ?? null,
    task: event.task ?? null,
    on_behalf_of: event.onBehalfOf ?? null,
    claimed_agent: event.claimedAgent ?? null,
    units: event.units ?? null,
    arguments_capture: event.argumentsCapture ?? null,
    result_capture: event.resultCapture ?? null,
    retries: event.retries ?? null,
    hash: Buffer.from(digest, 'latin1').toString('base64'),
    frame: isReproducible(event, payload) ? null : payload.toString('base64'),
  };
}

const NOTHING_KNOWN = {
  phase: 'single',
  method: 'unreadable',
  agentId: null,
  agent: null,
  keyId: null,
  operator: null,
  serverId: null,
  server: null,
  tool: null,
  definitionHash: null,
  decision: 'none',
  reason: QUARANTINED,
  grantId: null,
  epoch: null,
  revision: null,
  status: 'error',
  durationUs: null,
  upstreamUs: null,
  era: null,
  traceId: null,
  arguments: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
  truncated: true,
} as const satisfies Partial<AuditEvent>;

/**
 * Stands in the trail for an event that could not be stored as it was, so that no sequence number is missing. Its ids follow from
 * (node, boot, seq) alone: storing it twice gives one row.
 */
export function stubRowOf(batch: AuditBatch, { seq, bytes }: UnreadableEvent, { at, hash: digest }: { at: number; hash: string }): EventRow {
  const { node, boot } = batch;
  const name = hash('sha256', `${node} ${boot} ${seq}`, 'hex');
  const born = timeIn(boot);
  const time = (hasDay(born, at) ? born : NO_DAY_MS).toString(16).padStart(12, '0');
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7${name.slice(0, 3)}-8${name.slice(3, 6)}-${name.slice(6, 18)}`;
  const about = { argumentsHash: hash('sha256', bytes, 'hex'), argumentsBytes: bytes.length };
  return rowOf(batch, { ...NOTHING_KNOWN, ...about, id, callId: id, seq, at }, { payload: bytes, hash: digest });
}

/** The day partition: the UTC date of the time in a UUIDv7, the same however often the event is delivered. */
export function dayOf(uuidv7: string): string {
  return new Date(timeIn(uuidv7)).toISOString().slice(0, 10);
}
