import type { GrantRateLimit } from '@portcullis/contracts/grants';
import type { TakeLease } from './leases.js';
import { SLICES, SlidingWindow } from './sliding-window.js';

/** A lease is at most this part of a limit, so that no node holds much of it. */
const LEASE_PART = 20;
/** What is asked for may be gone, or its time over, when it comes. */
const TRIES_MAX = 4;

export interface SharedLimitParts {
  readonly key: string;
  readonly limit: GrantRateLimit;
  readonly takeLease: TakeLease;
  /** Whether the shared count is given up on for now. */
  readonly isAway: () => boolean;
  readonly noteAway: () => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * One limit as one node sees it. It takes tokens from the count that all nodes share, a few at a time, more while they are used up and one again when
 * they are not; what it does not use within a tenth of the window it gives back. Without that count it allows the whole limit by itself, in which
 * its own earlier calls count.
 */
export class SharedLimit {
  private readonly windowMs: number;
  private readonly own: SlidingWindow;
  private tokens = 0;
  private slice = 0;
  private usableUntil = 0;
  private fullUntil = 0;
  private leaseSize = 1;
  private waiting = 0;
  private asking: Promise<void> | undefined;

  constructor(private readonly parts: SharedLimitParts) {
    this.windowMs = parts.limit.perSeconds * 1000;
    this.own = new SlidingWindow(parts.limit.calls, this.windowMs);
  }

  isFor({ calls, perSeconds }: GrantRateLimit): boolean {
    const { limit } = this.parts;
    return limit.calls === calls && limit.perSeconds === perSeconds;
  }

  /** Takes a token: 0 where there was one, else how long (milliseconds) there will be none. Only where the last lease is used up is it a promise. */
  take(): number | Promise<number> {
    return this.takeNow(this.parts.clock()) ?? this.takeSoon();
  }

  private takeNow(now: number): number | undefined {
    if (this.tokens > 0 && now < this.usableUntil) {
      this.tokens -= 1;
      this.own.note(now);
      return 0;
    }
    if (this.parts.isAway()) return this.own.take(now) ? 0 : this.own.freeInMs(now);
    return now < this.fullUntil ? this.fullUntil - now : undefined;
  }

  private async takeSoon(): Promise<number> {
    this.waiting += 1;
    try {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        this.asking ??= this.ask();
        await this.asking;
        const taken = this.takeNow(this.parts.clock());
        if (taken !== undefined) return taken;
      }
    } finally {
      this.waiting -= 1;
    }
    const now = this.parts.clock();
    return this.own.take(now) ? 0 : this.own.freeInMs(now);
  }

  private async ask(): Promise<void> {
    const { key, limit, takeLease, clock, noteAway } = this.parts;
    const most = Math.ceil(limit.calls / LEASE_PART);
    const unused = { tokens: this.tokens, slice: this.slice };
    // Given back once: a second time, after an answer that was lost, would be somebody else's.
    this.tokens = 0;
    this.leaseSize = unused.tokens > 0 ? 1 : Math.min(this.leaseSize * 2, most);
    const askedAt = clock();
    try {
      const wanted = Math.max(this.leaseSize, this.waiting);
      const lease = await takeLease({ key, calls: limit.calls, windowMs: this.windowMs, wanted, unused });
      this.tokens = lease.tokens;
      this.slice = lease.slice;
      this.usableUntil = askedAt + this.windowMs / SLICES;
      this.fullUntil = lease.tokens > 0 ? 0 : clock() + lease.freeInMs;
    } catch {
      noteAway();
    } finally {
      this.asking = undefined;
    }
  }
}
