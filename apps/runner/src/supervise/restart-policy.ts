const WINDOW_MS = 60_000;
const FAILURES_MAX = 5;
const DELAYS_MS = [0, 1000, 2000, 4000];

/**
 * When a child that failed may be started again: at once, then after a second, two, four. The fifth crash within a minute is the last; only an
 * operator, or another profile, ends a quarantine. Times are those of one monotonic clock, in milliseconds.
 */
export class RestartPolicy {
  isQuarantined = false;
  private failures: { readonly at: number; readonly isCrash: boolean }[] = [];

  /** `refused`: nothing was started, so there is nothing to protect anybody from; it may be tried again and again. */
  failed(now: number, kind: 'crash' | 'refused'): void {
    this.failures = [...this.recent(now), { at: now, isCrash: kind === 'crash' }];
    if (this.failures.filter(({ isCrash }) => isCrash).length >= FAILURES_MAX) this.isQuarantined = true;
  }

  /** How long to wait before it may be started; nothing while it never failed. */
  delayMs(now: number): number {
    const recent = this.recent(now);
    const last = recent.at(-1);
    if (last === undefined) return 0;
    const delay = DELAYS_MS[Math.min(recent.length, DELAYS_MS.length) - 1] ?? 0;
    return Math.max(0, last.at + delay - now);
  }

  /** Whether it failed within the last minute. */
  hasFailed(now: number): boolean {
    return this.recent(now).length > 0;
  }

  private recent(now: number): typeof this.failures {
    return this.failures.filter(({ at }) => now - at < WINDOW_MS);
  }
}
