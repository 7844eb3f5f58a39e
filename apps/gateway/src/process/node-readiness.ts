import type { AuditTrail } from '@portcullis/audit';
import type { Readiness } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';
import type { Redis } from 'ioredis';
import type { Gateway } from '../gateway.js';

/** Policy older than this is not lost yet, but somebody should look. */
const DEGRADED_AFTER_MS = 5000;

/** Whether this node can serve, and how old its policy is. */
export function readinessOf(state: {
  readonly follower: Follower;
  readonly gateway: Pick<Gateway, 'shedding'>;
  readonly isEnrolled: boolean;
  readonly isStopping: boolean;
  readonly redis: Pick<Redis, 'status'>;
  readonly audit: Pick<AuditTrail, 'queueEvictsBy'>;
}): Readiness {
  const { follower, gateway, isEnrolled, isStopping, redis, audit } = state;
  const { queueEvictsBy: redisEvictsBy } = audit;
  const live = follower.current();
  const { epoch, revision, refused, refusedCounts, source, persisted } = follower.status();
  const ageMs = follower.ageMs();
  const isStale = live !== undefined && ageMs > live.settings.staleAfterMs;
  const reason = isStopping ? 'stopping' : live === undefined ? (isEnrolled ? 'no policy yet' : 'not enrolled yet') : isStale ? 'policy stale' : null;
  return {
    ready: reason === null,
    reason,
    degraded: ageMs > DEGRADED_AFTER_MS || redisEvictsBy !== null || gateway.shedding.level > 0,
    policy: { epoch, revision, ageMs: Number.isFinite(ageMs) ? Math.round(ageMs) : null, source, refused, refusedCounts, persisted },
    redis: redis.status === 'ready',
    // It must not: what is thrown away there is policy, sessions and events on their way.
    ...(redisEvictsBy !== null && { redisEvictsBy }),
  };
}
