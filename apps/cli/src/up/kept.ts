/** A part of the stack that is started again when it ends unasked. */
export interface Kept {
  readonly name: string;
  /** Of the process that runs now; undefined between two. */
  readonly pid: number | undefined;
  /** Asks it to end and waits until it has; by force when it takes too long. Safe to call twice. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** What a kept part tells the one who keeps it. */
export interface KeptHooks {
  /** Something a person should know. */
  report(line: string): void;
  /** Another process serves now, or none. */
  changed(): void;
}

const firstMs = 250;
const longestMs = 10_000;
// A part that ran this long has recovered: its next end is a new fault.
const recoveredMs = 30_000;

/** How long to wait before each new start of a part that keeps ending: 0.25 s, doubled up to 10 s. */
export class BackOff {
  #attempts = 0;
  #startedAt = 0;

  started(nowMs: number): void {
    this.#startedAt = nowMs;
  }

  nextMs(nowMs: number): number {
    if (nowMs - this.#startedAt > recoveredMs) this.#attempts = 0;
    return Math.min(longestMs, firstMs * 2 ** Math.min(this.#attempts++, 16));
  }
}
