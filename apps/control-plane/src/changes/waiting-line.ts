const WAIT_MS_MAX = 30_000;

interface Waiting {
  readonly enter: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Where those that would hold a connection of the pool for long wait for one another without one. If each held one, a burst of them would leave none for
 * anybody else.
 */
export class WaitingLine {
  private connected = 0;
  private readonly waiting = new Set<Waiting>();

  constructor(
    private readonly connectedMax: number,
    /** What is told to whoever has waited for half a minute. */
    private readonly refusal: () => Error,
  ) {}

  /** Runs the work when it is its turn, first come first served. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.connected >= this.connectedMax) await this.turn();
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
        reject(this.refusal());
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
