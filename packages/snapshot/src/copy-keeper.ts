import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { DigestSet, LastGoodCopy } from './last-good-copy.js';
import { releaseBytes } from './release-bytes.js';

/** A head that says only that nothing changed is written this often: the age of the copy counts when it is all there is. */
const CONFIRM_MS = 5_000;
/** More than this is not held until its snapshot is served: a whole policy would take its size twice. */
const HELD_BYTES_MAX = 8 * 1024 * 1024;

/** Keeps the copy on disk up with what is served: one write at a time, always the newest, never in the way of serving. */
export class CopyKeeper {
  readonly #copy: LastGoodCopy;
  readonly #monotonic: () => number;
  /** Contents that the served snapshot needs, or one that is being read, and the disk does not have yet. */
  readonly #unsaved = new Map<Digest, Uint8Array>();
  /** On disk before a head that needs them. */
  readonly #ahead = new Set<Digest>();
  /** On disk, and perhaps no longer needed. */
  readonly #superfluous = new Set<Digest>();
  /** Whether all else on disk is known to be needed. */
  #isTidy = false;
  #head: SignedHead | undefined;
  #needed: DigestSet = new Set<Digest>();
  #savedHead: SignedHead | undefined;
  #savedNeeded: DigestSet | undefined;
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
  restored(head: SignedHead, needed: DigestSet): void {
    this.#head = this.#savedHead = head;
    this.#needed = this.#savedNeeded = needed;
    this.#savedAt = this.#monotonic();
  }

  /** Contents of a snapshot that may come to be served; `keep` or `drop` follows. The bytes are the keeper's from now on. */
  take(contents: ReadonlyMap<Digest, Uint8Array>): void {
    for (const [digest, bytes] of contents) this.#unsaved.set(digest, bytes);
    if (this.#holdsMuch) this.#start();
  }

  /** What was taken comes to be served; `gone` is what was needed before and is no more. */
  keep(head: SignedHead, needed: DigestSet, gone: Iterable<Digest>): void {
    for (const digest of gone) this.#superfluous.add(digest);
    this.#head = head;
    this.#needed = needed;
    this.drop();
    this.#start();
  }

  /** Forgets what was taken and is not served. */
  drop(): void {
    for (const digest of this.#unsaved.keys()) if (!this.#needed.has(digest)) this.#unsaved.delete(digest);
    for (const digest of this.#ahead) if (!this.#needed.has(digest) && this.#ahead.delete(digest)) this.#superfluous.add(digest);
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

  get #holdsMuch(): boolean {
    let bytes = 0;
    for (const content of this.#unsaved.values()) bytes += content.length;
    return bytes > HELD_BYTES_MAX;
  }

  async #write(): Promise<void> {
    do {
      try {
        await this.#writeOnce();
        this.#failed = false;
      } catch {
        // Serving does not depend on the copy: it is tried again with the next head, and `persisted` says so meanwhile.
        this.#failed = true;
        this.#savedAt = this.#monotonic();
        return;
      }
    } while ((this.#head !== undefined && this.#needed !== this.#savedNeeded) || this.#holdsMuch);
  }

  async #writeOnce(): Promise<void> {
    const [head, needed, contents] = [this.#head, this.#needed, new Map(this.#unsaved)];
    if (contents.size > 0) await this.#copy.saveContents(contents);
    for (const [digest, bytes] of contents) {
      // What was dropped meanwhile is on disk for nothing.
      if (this.#unsaved.get(digest) === bytes && this.#unsaved.delete(digest)) this.#ahead.add(digest);
      else this.#superfluous.add(digest);
      releaseBytes(bytes);
    }
    if (head === undefined) return;
    if (head !== this.#savedHead) await this.#copy.saveHead(head);
    if (needed !== this.#savedNeeded) await this.#tidy(needed);
    [this.#savedHead, this.#savedNeeded, this.#savedAt] = [head, needed, this.#monotonic()];
  }

  /** The head is on disk: what it does not need may go. */
  async #tidy(needed: DigestSet): Promise<void> {
    const isNeeded = (digest: Digest): boolean => needed.has(digest) || this.#ahead.has(digest);
    // What the next head, which came meanwhile, no longer needs stays noted until that one is on disk.
    const superfluous = [...this.#superfluous].filter((digest) => !isNeeded(digest));
    if (this.#isTidy) await this.#copy.remove(superfluous);
    else await this.#copy.removeAllBut({ has: isNeeded });
    this.#isTidy = true;
    for (const digest of superfluous) this.#superfluous.delete(digest);
    for (const digest of this.#ahead) if (needed.has(digest)) this.#ahead.delete(digest);
  }
}
