import type { Lease, Wanted } from './leases.js';

/** The count of a limit as all nodes share it, and what a node goes by without that. Times are monotonic milliseconds. */
export interface SharedCount {
  /** The largest lease that a node should have. */
  readonly leaseMax: number;
  /** Asks for tokens; `unused` of those of the last lease are left. Says for how long they are good. Rejects where the count cannot be reached. */
  lease(wanted: Wanted, unused: number): Promise<Lease & { readonly goodForMs: number }>;
  /** Notes a call that had a token. */
  note(now: number): void;
  /** Takes a place by this node's own count. */
  takeAlone(now: number): boolean;
  /** Gives back a place that was taken by it a moment ago. */
  putBackAlone(now: number): void;
  /** How long until there is one. */
  freeAloneInMs(now: number): number;
}

/** What a limit is counted by. */
export interface Meter {
  /** Takes a token: 0 where there was one, else how long (milliseconds) there will be none. Only where the last lease is used up is it a promise. */
  take(): number | Promise<number>;
  /** Gives one back that was taken a moment ago and not used. */
  putBack(): void;
}

interface LeasedCountParts {
  readonly count: SharedCount;
  /** Whether the shared count is given up on for now. */
  readonly isAway: () => boolean;
  /** The shared count could not be reached, or was. */
  readonly noteAway: () => void;
  readonly noteThere: () => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** What is asked for may be gone, or its time over, when it comes. */
const TRIES_MAX = 4;

/**
 * One limit as one node sees it. It takes tokens from the count that all nodes share, a few at a time, more while they are used up and one again when
 * they are not. Without that count it goes by its own, in which its earlier calls count.
 */
export class LeasedCount implements Meter {
  private tokens = 0;
  /** Tokens of the last lease that were given out. */
  private out = 0;
  /** Places taken without a lease. */
  private alone = 0;
  private usableUntil = 0;
  private fullUntil = 0;
  private leaseSize = 1;
  private waiting = 0;
  private asking: Promise<void> | undefined;

  constructor(private readonly parts: LeasedCountParts) {}

  take(): number | Promise<number> {
    return this.takeNow(this.parts.clock()) ?? this.takeSoon();
  }

  /** Whose time is over meanwhile is not given back: it stays counted. */
  putBack(): void {
    const now = this.parts.clock();
    if (this.out > 0 && now < this.usableUntil) {
      this.out -= 1;
      this.tokens += 1;
    } else if (this.alone > 0) {
      this.alone -= 1;
      this.parts.count.putBackAlone(now);
    }
  }

  private takeNow(now: number): number | undefined {
    const { count, isAway } = this.parts;
    if (this.tokens > 0 && now < this.usableUntil) {
      this.tokens -= 1;
      this.out += 1;
      count.note(now);
      return 0;
    }
    if (isAway()) return this.takeAlone(now);
    return now < this.fullUntil ? this.fullUntil - now : undefined;
  }

  private takeAlone(now: number): number {
    const { count } = this.parts;
    if (!count.takeAlone(now)) return count.freeAloneInMs(now);
    this.alone += 1;
    return 0;
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
    return this.takeAlone(this.parts.clock());
  }

  private async ask(): Promise<void> {
    const { count, clock, noteAway, noteThere } = this.parts;
    const unused = this.tokens;
    // Given back once: a second time, after an answer that was lost, would be somebody else's.
    this.tokens = 0;
    this.out = 0;
    this.leaseSize = unused > 0 ? 1 : Math.min(this.leaseSize * 2, count.leaseMax);
    const askedAt = clock();
    try {
      const lease = await count.lease({ wanted: this.leaseSize, waiting: this.waiting }, unused);
      noteThere();
      this.tokens = lease.tokens;
      this.usableUntil = askedAt + lease.goodForMs;
      this.fullUntil = lease.tokens > 0 ? 0 : clock() + lease.freeInMs;
    } catch {
      noteAway();
    } finally {
      this.asking = undefined;
    }
  }
}
