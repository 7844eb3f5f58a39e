import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longer work without a pause would be felt by the calls of agents. */
const BUSY_MS_MAX = 2;

/** Keeps long work from holding up everything else: `if (breath.isDue) await breath.take()`, often. */
export class Breath {
  #since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#since >= BUSY_MS_MAX;
  }

  async take(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
