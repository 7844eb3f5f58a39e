import { GatewayError } from '@portcullis/contracts/errors';
import type { CallRecord } from '../audit/call-record.js';
import type { Visit } from '../visit.js';

/** `limit.budget`, on the record as refused, while a budget of the agent is spent. */
export function requireBudget(untilMs: number, { visit, record }: { readonly visit: Visit; readonly record: CallRecord }): void {
  const retryAfterMs = untilMs - visit.now;
  if (retryAfterMs <= 0) return;
  record.overBudget();
  throw new GatewayError('limit.budget', { retryAfterMs });
}
