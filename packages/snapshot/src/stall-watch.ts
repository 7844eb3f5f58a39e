/** Turns come four times a second; a process that missed as many stood still, or was held up. */
export const STALL_TURN_MS = 250;
const STALL_MS = 1_000;
/** So long after it stood still a process may still come upon what had come meanwhile. */
const CATCHING_UP_MS = 1_000;

/**
 * Says how old what is read now may be. Whoever stands still (stopped, starved, moved to another machine) finds everything that was sent meanwhile at
 * once, and cannot tell what is new: a head of long ago would make old policy young.
 */
export class StallWatch {
  private turnedAt: number;
  private stoodSince = 0;
  private caughtUpAt = -Infinity;

  /** `monotonic` in milliseconds. */
  constructor(private readonly monotonic: () => number) {
    this.turnedAt = monotonic();
  }

  /** To be called every `STALL_TURN_MS`. */
  turn(): void {
    const now = this.monotonic();
    if (now - this.turnedAt > STALL_MS) {
      if (now > this.caughtUpAt) this.stoodSince = this.turnedAt;
      this.caughtUpAt = now + CATCHING_UP_MS;
    }
    this.turnedAt = now;
  }

  /** For how long what is read at this moment may have lain unread; 0 as long as nothing stood still. */
  lateMs(): number {
    this.turn();
    const now = this.turnedAt;
    return now < this.caughtUpAt ? now - this.stoodSince : 0;
  }
}
