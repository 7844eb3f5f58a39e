import { settle, type Entry } from './entry.js';
import type { KeptFrame } from './shipper.js';
import type { Spool } from './spool.js';

/** Events that may wait in memory for a spool that takes nothing. */
const UNSPOOLED_MAX = 4096;
/** A full disk is asked again after so long, not for every event. */
const RETRY_MS = 50;

/** What a boot keeps of its events until Postgres has them: in the spool, and in memory what the spool does not take. */
export class KeptEvents {
  /** Each follows the one before. */
  private unspooled: Entry[] = [];
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly spool: Spool,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** Whether the spool took nothing when it was last asked. */
  get isFailing(): boolean {
    return this.failedAt !== Number.NEGATIVE_INFINITY;
  }

  /** How many events lie in memory alone. */
  get unspooledEvents(): number {
    return this.unspooled.length;
  }

  /** Whether there is room for another. What the queue has makes room: somebody else holds it then. */
  hasRoom(): boolean {
    if (this.unspooled.length < UNSPOOLED_MAX) return true;
    const firstWanted = this.unspooled.findIndex(({ queued }) => !queued);
    this.unspooled.splice(0, firstWanted === -1 ? this.unspooled.length : firstWanted);
    return this.unspooled.length < UNSPOOLED_MAX;
  }

  push(entry: Entry): void {
    this.unspooled.push(entry);
  }

  /** One write for everything that waits. */
  flush(): void {
    const [first] = this.unspooled;
    if (!first || performance.now() - this.failedAt < RETRY_MS) return;
    try {
      this.spool.append(
        this.unspooled.map(({ frame }) => frame),
        first.seq,
      );
    } catch (error) {
      if (!this.isFailing) this.onTrouble(error);
      this.failedAt = performance.now();
      return;
    }
    this.failedAt = Number.NEGATIVE_INFINITY;
    const spooled = this.unspooled;
    this.unspooled = [];
    for (const entry of spooled) {
      entry.spooled = true;
      settle(entry);
    }
  }

  /** Notices that the spool was taken away, and writes it anew; whether it was. */
  lookAfter(): boolean {
    try {
      const isRestored = this.spool.restore();
      if (isRestored) this.onTrouble(new Error('The spool was deleted while it was in use; what its last segment held was written again'));
      return isRestored;
    } catch (error) {
      this.onTrouble(error);
      return false;
    }
  }

  /** Postgres has everything up to `contiguousSeq`; of the spool only what lies up to `throughSeq` is not needed any more. */
  acknowledge(contiguousSeq: number, throughSeq: number): void {
    if (this.unspooled.length > 0) this.unspooled = this.unspooled.filter(({ seq }) => seq > contiguousSeq);
    this.spool.deleteThrough(throughSeq);
  }

  /** Everything kept of a range, oldest first. */
  *framesFrom(seq: number, throughSeq: number = Number.POSITIVE_INFINITY): Generator<readonly KeptFrame[]> {
    yield* this.spool.framesFrom(seq, throughSeq);
    yield this.unspooled.filter((entry) => entry.seq >= seq && entry.seq <= throughSeq).map((entry) => ({ seq: entry.seq, bytes: entry.frame }));
  }
}
