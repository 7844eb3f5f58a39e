import { GatewayError } from '@portcullis/contracts/errors';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { Gateway } from '../gateway.js';

const REVISION = /^\d{1,15}$/;

/**
 * The snapshot one request is decided by. Refuses where there is none yet, where nobody has confirmed it for longer than it says it may be used,
 * and where the caller has seen a newer one (`X-Min-Policy-Revision`).
 */
export function livePolicy({ policy }: Pick<Gateway, 'policy'>, minRevision: string | undefined): PolicySnapshot {
  const live = policy.current();
  if (live === undefined) throw new GatewayError('node.no_snapshot');
  if (policy.ageMs() > live.settings.staleAfterMs) throw new GatewayError('node.policy_stale', { ageMs: policy.ageMs() });
  if (minRevision === undefined) return live;
  if (!REVISION.test(minRevision)) throw new GatewayError('client.malformed', { header: 'x-min-policy-revision' });
  if (live.revision < Number(minRevision)) throw new GatewayError('node.policy_behind', { revision: live.revision });
  return live;
}
