import { RATE_SLICES } from '@portcullis/contracts/limits';

/**
 * At most so many in any window of time. What falls into one slice of time is forgotten together, when the last of it is a whole window ago, so that
 * a place may be free a tenth of a window later than it had to be, and never sooner.
 */
export class SlidingWindow {
  private readonly sliceMs: number;
  /** Used in each slice, by its number. */
  private readonly used = new Map<number, number>();
  private total = 0;

  constructor(
    private readonly most: number,
    windowMs: number,
  ) {
    this.sliceMs = windowMs / RATE_SLICES;
  }

  /** Takes one place, if one is free. Times (milliseconds) never go back. */
  take(now: number): boolean {
    this.forget(now);
    if (this.total >= this.most) return false;
    this.note(now);
    return true;
  }

  /** Counts one that was taken elsewhere. */
  note(now: number): void {
    this.forget(now);
    const slice = Math.floor(now / this.sliceMs);
    this.used.set(slice, (this.used.get(slice) ?? 0) + 1);
    this.total += 1;
  }

  /** Gives one back that was taken a moment ago; one of an earlier slice stays counted. */
  putBack(now: number): void {
    const slice = Math.floor(now / this.sliceMs);
    const used = this.used.get(slice) ?? 0;
    if (used === 0) return;
    if (used === 1) this.used.delete(slice);
    else this.used.set(slice, used - 1);
    this.total -= 1;
  }

  /** How long until a place is free; 0 where one is. */
  freeInMs(now: number): number {
    this.forget(now);
    if (this.total < this.most) return 0;
    const [oldest = 0] = this.used.keys();
    return (oldest + RATE_SLICES + 1) * this.sliceMs - now;
  }

  private forget(now: number): void {
    const current = Math.floor(now / this.sliceMs);
    for (const [slice, count] of this.used) {
      if (slice >= current - RATE_SLICES) return;
      this.used.delete(slice);
      this.total -= count;
    }
  }
}
