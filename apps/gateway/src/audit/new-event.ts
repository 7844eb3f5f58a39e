import { newEventId } from '@portcullis/audit';
import type { NewAuditEvent } from '@portcullis/contracts/audit';
import type { Era } from '@portcullis/mcp';
import type { Visit } from '../visit.js';
import { methodText } from './captured-by.js';

/** What is known when a request begins. All members in one literal: objects put together from parts cost several times as much, twice a call. */
export function newEvent(visit: Visit, method: string, era: Era | null): NewAuditEvent {
  const { live, caller, now } = visit;
  return {
    callId: newEventId(),
    phase: 'single',
    at: now,
    method: methodText(method, visit),
    agentId: caller.agent.id,
    agent: caller.agent.slug,
    keyId: caller.keyId,
    operator: null,
    serverId: null,
    server: null,
    tool: null,
    definitionHash: null,
    decision: 'none',
    reason: null,
    grantId: null,
    epoch: live.epoch,
    revision: live.revision,
    status: 'pending',
    durationUs: null,
    upstreamUs: null,
    era,
    traceId: null,
    argumentsHash: null,
    argumentsBytes: null,
    arguments: null,
    resultHash: null,
    resultBytes: null,
    resultSummary: null,
    truncated: false,
    shadowDecision: null,
    shadowGrantId: null,
    task: caller.task?.task ?? null,
    onBehalfOf: caller.onBehalfOf ?? null,
    claimedAgent: null,
    units: null,
    argumentsCapture: null,
    resultCapture: null,
    retries: null,
  };
}
