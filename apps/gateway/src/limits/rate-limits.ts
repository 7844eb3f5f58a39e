import { GatewayError } from '@portcullis/contracts/errors';
import type { GrantRateLimit } from '@portcullis/contracts/grants';
import { LRUCache } from '../lru-cache.js';
import type { TakeLease } from './leases.js';
import { SharedLimit } from './shared-limit.js';

const LIMITS_MAX = 10_000;
/** How long nodes go by their own counts before the shared one is tried again. */
const AWAY_MS = 5000;

/** The rate limits of grants, each counted for one agent over all nodes. */
export class RateLimits {
  private readonly limits = new LRUCache<SharedLimit>(LIMITS_MAX);
  private awayUntil = -Infinity;

  constructor(
    private readonly takeLease: TakeLease,
    /** Monotonic milliseconds. */
    private readonly clock: () => number,
  ) {}

  /** Counts a call of this agent under this grant; `limit.grant_rate` where it is one too many. Nothing to wait for while this node has tokens. */
  take(grantId: string, agentId: string, limit: GrantRateLimit): void | Promise<void> {
    const taken = this.limitOf(`${grantId}:${agentId}`, limit).take();
    if (typeof taken === 'number') return requireToken(taken, limit);
    return taken.then((freeInMs) => requireToken(freeInMs, limit));
  }

  private limitOf(key: string, limit: GrantRateLimit): SharedLimit {
    const known = this.limits.get(key);
    if (known?.isFor(limit) === true) return known;
    const { takeLease, clock } = this;
    const opened = new SharedLimit({
      key,
      limit,
      takeLease,
      clock,
      isAway: () => clock() < this.awayUntil,
      noteAway: () => (this.awayUntil = clock() + AWAY_MS),
    });
    this.limits.set(key, opened);
    return opened;
  }
}

function requireToken(freeInMs: number, { calls, perSeconds }: GrantRateLimit): void {
  if (freeInMs > 0) throw new GatewayError('limit.grant_rate', { calls, perSeconds, retryAfterMs: freeInMs });
}
