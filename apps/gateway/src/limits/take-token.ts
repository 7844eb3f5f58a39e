import type { Decision } from '@portcullis/policy';
import type { CallRecord } from '../audit/call-record.js';
import type { Visit } from '../visit.js';

/** Counts a call under the grant that allows it; `limit.grant_rate`, on the record as that grant's refusal, where it is one too many. */
export async function takeToken({ grantId, rateLimit }: Decision, { visit, record }: { visit: Visit; record: CallRecord }): Promise<void> {
  if (grantId === null || rateLimit === null) return;
  try {
    await visit.gateway.rateLimits.take(grantId, visit.caller.agent.id, rateLimit);
  } catch (error) {
    record.overLimit();
    throw error;
  }
}
