import { GatewayError, type ErrorCode } from '@portcullis/contracts/errors';
import type { CallRecord } from '../audit/call-record.js';
import type { Visit } from '../visit.js';
import type { Meter } from './leased-count.js';
import type { AppliedLimit } from './limits-on.js';
import type { Meters } from './meters.js';

/**
 * Makes a call that every limit on it has room for; it has its places while it is in progress. Where one has nothing left the call is refused (`limit.*`),
 * on the record with that limit, and what it took of the others is given back.
 */
export async function withinLimits(
  limits: readonly AppliedLimit[],
  { visit, record }: { readonly visit: Visit; readonly record: CallRecord },
  call: () => Promise<void>,
): Promise<void> {
  const { meters, places } = visit.gateway.limits;
  const entered: string[] = [];
  try {
    // What is counted here alone comes first: whoever it refuses takes no tokens of others.
    for (const { id, key, terms } of limits) {
      if (terms.kind !== 'concurrency') continue;
      if (!places.enter(key, terms.calls)) throw refused(id, record, 'limit.concurrency', { calls: terms.calls });
      entered.push(key);
    }
    await takeTokens(limits, meters, record);
    await call();
  } finally {
    for (const key of entered) places.leave(key);
  }
}

async function takeTokens(limits: readonly AppliedLimit[], meters: Meters, record: CallRecord): Promise<void> {
  const taken: Meter[] = [];
  for (const { id, key, terms } of limits) {
    if (terms.kind === 'concurrency') continue;
    const meter = meters.of(key, terms);
    const answer = meter.take();
    const freeInMs = typeof answer === 'number' ? answer : await answer;
    if (freeInMs > 0) {
      for (const other of taken) other.putBack();
      throw refused(id, record, codeOf(id, terms.kind), { ...terms, retryAfterMs: freeInMs });
    }
    taken.push(meter);
  }
}

function refused(id: string | null, record: CallRecord, code: ErrorCode, detail: GatewayError['detail']): GatewayError {
  record.overLimit(id);
  return new GatewayError(code, detail);
}

function codeOf(id: string | null, kind: 'rate' | 'quota'): ErrorCode {
  if (id === null) return 'limit.grant_rate';
  return kind === 'rate' ? 'limit.call_rate' : 'limit.quota';
}
