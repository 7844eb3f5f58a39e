import type { Readiness } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';

/** Policy older than this is not lost yet, but somebody should look. */
const DEGRADED_AFTER_MS = 5000;

/** Whether this node can serve, and how old its policy is. */
export function readinessOf(state: { follower: Follower; isEnrolled: boolean; isStopping: boolean; isRedisReady: boolean }): Readiness {
  const { follower, isEnrolled, isStopping, isRedisReady } = state;
  const live = follower.current();
  const { epoch, revision, refused, refusedCounts, source, persisted } = follower.status();
  const ageMs = follower.ageMs();
  const isStale = live !== undefined && ageMs > live.settings.staleAfterMs;
  const reason = isStopping ? 'stopping' : live === undefined ? (isEnrolled ? 'no policy yet' : 'not enrolled yet') : isStale ? 'policy stale' : null;
  return {
    ready: reason === null,
    reason,
    degraded: ageMs > DEGRADED_AFTER_MS,
    policy: { epoch, revision, ageMs: Number.isFinite(ageMs) ? Math.round(ageMs) : null, source, refused, refusedCounts, persisted },
    redis: isRedisReady,
  };
}
