import { ProblemError } from '../http/problem.js';

/** One that makes its change, and one that waits for the lock already, so that the lock is never free while somebody wants it. */
const CONNECTED_MAX = 2;
const WAIT_MS_MAX = 30_000;

interface Waiting {
  readonly enter: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Where changes of policy wait for one another without a connection of the pool. If each held one, a burst of them would leave none for whoever
 * publishes what they made, nor for whoever reads.
 */
export class WritersLine {
  private connected = 0;
  private readonly waiting = new Set<Waiting>();

  /** Runs the work when it is its turn, first come first served. Refuses (503) what waits for more than half a minute. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.connected >= CONNECTED_MAX) await this.turn();
    else this.connected += 1;
    try {
      return await work();
    } finally {
      this.next();
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.waiting.delete(place);
        reject(new ProblemError('unavailable', 'Too many changes of policy wait for one another. Nothing was changed; try again.'));
      };
      const place = { enter: resolve, timer: setTimeout(giveUp, WAIT_MS_MAX) };
      this.waiting.add(place);
    });
  }

  /** Hands the place to whoever waits longest. */
  private next(): void {
    const [place] = this.waiting;
    if (place === undefined) {
      this.connected -= 1;
      return;
    }
    this.waiting.delete(place);
    clearTimeout(place.timer);
    place.enter();
  }
}
