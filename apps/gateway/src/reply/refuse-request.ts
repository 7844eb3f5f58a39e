import { resultMessage, toolErrorResult } from '@portcullis/mcp';
import { POLICY_LIMITS } from '../limits/policy-limits.js';
import type { Step } from '../step.js';
import { endingOf } from './ending-of.js';
import { errorMessage } from './error-message.js';
import { HttpReply } from './http-reply.js';

/** Ends a request that a step refused: one row that says why, and the answer of the error table. */
export async function refuseRequest(thrown: unknown, step: Omit<Step, 'session'>): Promise<void> {
  const { call, visit, reply, record } = step;
  const { status, code, error } = endingOf(thrown);
  if (code === 'node.internal') visit.gateway.logError(thrown, 'A request failed');
  let answered: unknown = error;
  try {
    if (code !== 'node.audit_unavailable') await record.end({ status, reason: saidByDecision.has(code) ? undefined : code });
  } catch (unrecorded) {
    answered = unrecorded; // what cannot be recorded is not answered
  }
  visit.gateway.metrics.ended(call.method, status);
  if (code === 'client.cancelled' && answered === error) return reply.finishSilently();
  const wire = errorMessage(answered, call.id, call.era);
  if (code === 'policy.arguments' && call.method === 'tools/call') {
    const result = toolErrorResult(error.entry.publicText, { era: call.era, serverInfo: visit.gateway.serverInfo });
    reply.finish(200, [resultMessage(call.id, result)]);
    return;
  }
  if (reply instanceof HttpReply)
    for (let at = 0; at + 1 < wire.headers.length; at += 2) reply.setHeader(wire.headers[at] ?? '', wire.headers[at + 1] ?? '');
  reply.finish(wire.status, [wire.message]);
}

/** Which grant or limit refused, and for which of its terms, is on the record already. */
const saidByDecision: ReadonlySet<string> = new Set(['policy.arguments', ...POLICY_LIMITS]);
