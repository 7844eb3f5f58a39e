import { setTimeout as sleep } from 'node:timers/promises';

/** A bell that is remembered: a ring while nobody waits ends the next wait at once. */
export class Wake {
  private isRung = false;
  private waiting: (() => void) | undefined;

  ring(): void {
    this.isRung = true;
    this.waiting?.();
  }

  /** Waits for the bell, at most so long. */
  async within(ms: number): Promise<void> {
    if (!this.isRung && ms > 0) {
      const deadline = new AbortController();
      const rung = new Promise<void>((resolve) => (this.waiting = resolve));
      await Promise.race([rung, sleep(ms, undefined, { signal: deadline.signal }).catch(() => undefined)]);
      deadline.abort();
      this.waiting = undefined;
    }
  }

  /** Waits out what is left of a rest, then forgets all rings: what follows serves them together. */
  async rest(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms);
    this.forget();
  }

  /** Forgets all rings: what follows serves them together. */
  forget(): void {
    this.isRung = false;
  }
}
