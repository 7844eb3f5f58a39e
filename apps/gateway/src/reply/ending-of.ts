import { GatewayError } from '@portcullis/contracts/errors';
import { POLICY_LIMITS } from '../limits/policy-limits.js';
import type { CallOutcome } from '../process/call-metrics.js';

/** What a call that a step refused comes to: its outcome for counts and the trail, the code, and the error it is answered with. */
export function endingOf(thrown: unknown): { status: CallOutcome; code: string; error: GatewayError } {
  const error = thrown instanceof GatewayError ? thrown : new GatewayError('node.internal', {}, { cause: thrown });
  const { code } = error;
  if (code === 'upstream.timeout') return { status: 'timeout', code, error };
  if (code === 'client.cancelled' || code.endsWith('.revoked_in_flight')) return { status: 'cancelled', code, error };
  if (code.startsWith('upstream.')) return { status: 'upstream_error', code, error };
  if (code.startsWith('policy.') || POLICY_LIMITS.has(code)) return { status: 'denied', code, error };
  return { status: code.startsWith('node.') ? 'error' : 'refused', code, error };
}
