import { setTimeout as sleep } from 'node:timers/promises';

/** A bell that is remembered: a ring while nobody waits ends the next wait at once. */
export class Wake {
  private isRung = false;
  private waiting: (() => void) | undefined;

  ring(): void {
    this.isRung = true;
    this.waiting?.();
  }

  /** Waits for the bell, at most so long; whether it was rung. */
  async within(ms: number): Promise<boolean> {
    if (!this.isRung && ms > 0) {
      const deadline = new AbortController();
      const rung = new Promise<void>((resolve) => (this.waiting = resolve));
      await Promise.race([rung, sleep(ms, undefined, { signal: deadline.signal }).catch(() => undefined)]);
      deadline.abort();
      this.waiting = undefined;
    }
    return this.isRung;
  }

  /** Waits a moment for more rings, then forgets them all: what follows serves them together. */
  async pause(ms: number): Promise<void> {
    await sleep(ms);
    this.isRung = false;
  }
}
