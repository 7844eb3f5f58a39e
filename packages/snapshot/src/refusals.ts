import type { FollowerStatus } from './follower.js';
import { SnapshotRefusal, type RefusalReason } from './snapshot-refusal.js';

/** Counts refusals, and reports one when it differs from the one before: a bad head comes again every second. */
export class Refusals {
  readonly #counts: Partial<Record<RefusalReason, number>> = {};
  readonly #report: (reason: RefusalReason, revision: number | null) => void;
  #last: FollowerStatus['refused'] = null;

  constructor(report: (reason: RefusalReason, revision: number | null) => void) {
    this.#report = report;
  }

  get counts(): FollowerStatus['refusedCounts'] {
    return { ...this.#counts };
  }

  get last(): FollowerStatus['refused'] {
    return this.#last;
  }

  /** A head was taken: what was refused before it is history. */
  settled(): void {
    this.#last = null;
  }

  add(error: unknown, revision: number | null): void {
    const reason = error instanceof SnapshotRefusal ? error.reason : 'internal';
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    if (this.#last?.reason === reason && this.#last.revision === revision) return;
    this.#last = { reason, revision };
    this.#report(reason, revision);
  }
}
