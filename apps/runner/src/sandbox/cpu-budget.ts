/** What a child may take at once after it took little: enough to start, or for one call that has much to do. */
const SAVED_MS_MAX = 1000;

/** How much processor time a child has left, where it gets `percent` of one core on the average. Times in milliseconds of one monotonic clock. */
export class CpuBudget {
  private leftMs = SAVED_MS_MAX;
  private usedMs = 0;

  constructor(
    private readonly percent: number,
    private at: number,
  ) {}

  /** Whether it takes more than it gets, so that what is left will not last. */
  get isShrinking(): boolean {
    return this.leftMs < SAVED_MS_MAX / 2;
  }

  /** Notes what it has used since it began; gives for how long it has to rest until it has something left. */
  restAfter(usedMs: number, now: number): number {
    const earnedMs = ((now - this.at) * this.percent) / 100;
    // What processes used that ended unseen by their parents is gone from the sum.
    const tookMs = Math.max(0, usedMs - this.usedMs);
    this.leftMs = Math.min(SAVED_MS_MAX, this.leftMs + earnedMs - tookMs);
    this.usedMs = usedMs;
    this.at = now;
    return this.leftMs >= 0 ? 0 : (-this.leftMs * 100) / this.percent;
  }
}
