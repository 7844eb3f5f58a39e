import type { DecodedBatch } from '@portcullis/audit';
import { isPoison } from './is-poison.js';
import type { BatchStore } from './store-batch.js';

/** A commit costs Postgres more than the few events of a quiet moment do: what comes within so short a time is stored together. */
const GATHER_MS = 10;
const EVENTS_MAX = 1024;
const IN_FLIGHT_MAX = 2;

interface Waiting {
  readonly decoded: DecodedBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Stores batches together, in one statement and one commit. Each is told when it is in Postgres, and one that is refused costs no other. */
export class StoreTogether {
  private line: Waiting[] = [];
  private inFlight = 0;
  private lastAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly batches: Pick<BatchStore, 'store' | 'storeAll'>) {}

  /** Resolves after the commit; rejects, with nothing of this batch stored, where Postgres is not to be had. */
  store(decoded: DecodedBatch): Promise<void> {
    if (decoded.unreadable.length > 0) return this.batches.store(decoded);
    return new Promise((resolve, reject) => {
      this.line.push({ decoded, resolve, reject });
      this.next();
    });
  }

  private next(): void {
    if (this.line.length === 0 || this.inFlight === IN_FLIGHT_MAX || this.timer !== undefined) return;
    const restMs = GATHER_MS - (performance.now() - this.lastAt);
    if (restMs <= 0) {
      void this.flush();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, restMs);
  }

  private async flush(): Promise<void> {
    const together = this.take();
    this.inFlight += 1;
    this.lastAt = performance.now();
    try {
      await this.batches.storeAll(together.map(({ decoded }) => decoded));
      for (const { resolve } of together) resolve();
    } catch (error) {
      if (isPoison(error)) await this.storeApart(together);
      else for (const { reject } of together) reject(error);
    } finally {
      this.inFlight -= 1;
      this.next();
    }
  }

  private async storeApart(together: readonly Waiting[]): Promise<void> {
    for (const { decoded, resolve, reject } of together) await this.batches.store(decoded).then(resolve, reject);
  }

  private take(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const { decoded } of this.line) {
      if (count > 0 && events + decoded.events.length > EVENTS_MAX) break;
      events += decoded.events.length;
      count += 1;
    }
    return this.line.splice(0, count);
  }
}
