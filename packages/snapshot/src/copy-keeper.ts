import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { LastGoodCopy } from './last-good-copy.js';

/** A head that says only that nothing changed is written this often: the age of the copy counts when it is all there is. */
const CONFIRM_MS = 5_000;

/** Keeps the copy on disk up with what is served: one write at a time, always the newest, never in the way of serving. */
export class CopyKeeper {
  readonly #copy: LastGoodCopy;
  readonly #monotonic: () => number;
  /** Contents that the served snapshot needs and the disk does not have yet. */
  readonly #unsaved = new Map<Digest, Uint8Array>();
  #head: SignedHead | undefined;
  #needed: ReadonlySet<Digest> = new Set();
  #savedHead: SignedHead | undefined;
  #savedNeeded: ReadonlySet<Digest> | undefined;
  #savedAt = -Infinity;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(copy: LastGoodCopy, monotonic: () => number) {
    this.#copy = copy;
    this.#monotonic = monotonic;
  }

  /** Whether the disk holds the served snapshot. */
  get persisted(): boolean {
    return !this.#failed && this.#savedNeeded === this.#needed && this.#savedHead !== undefined;
  }

  /** The disk has this already: it was read from there. */
  restored(head: SignedHead, needed: ReadonlySet<Digest>): void {
    this.#head = this.#savedHead = head;
    this.#needed = this.#savedNeeded = needed;
    this.#savedAt = this.#monotonic();
  }

  keep(head: SignedHead, fetched: ReadonlyMap<Digest, Uint8Array>, needed: ReadonlySet<Digest>): void {
    for (const [digest, bytes] of fetched) this.#unsaved.set(digest, bytes);
    for (const digest of this.#unsaved.keys()) if (!needed.has(digest)) this.#unsaved.delete(digest);
    this.#head = head;
    this.#needed = needed;
    this.#start();
  }

  confirm(head: SignedHead): void {
    this.#head = head;
    if (this.#monotonic() - this.#savedAt >= CONFIRM_MS) this.#start();
  }

  /** Writes what is not yet written; settles when that is done or has failed. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#head !== this.#savedHead) this.#start();
    await this.#writing;
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(): Promise<void> {
    do {
      const [head, needed, contents] = [this.#head, this.#needed, new Map(this.#unsaved)];
      if (head === undefined) return;
      try {
        if (needed === this.#savedNeeded) await this.#copy.saveHead(head);
        else await this.#copy.save(head, contents, needed);
      } catch {
        // Serving does not depend on the copy: it is tried again with the next head, and `persisted` says so meanwhile.
        this.#failed = true;
        this.#savedAt = this.#monotonic();
        return;
      }
      for (const digest of contents.keys()) this.#unsaved.delete(digest);
      this.#failed = false;
      [this.#savedHead, this.#savedNeeded, this.#savedAt] = [head, needed, this.#monotonic()];
    } while (this.#needed !== this.#savedNeeded);
  }
}
