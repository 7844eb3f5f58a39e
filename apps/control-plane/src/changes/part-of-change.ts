import type { Transaction } from '@portcullis/database';
import type { Author, ChangeDetail, Subject } from './author.js';
import type { Changed, Dirty, PolicyChange, PolicyChanges } from './policy-changes.js';

/** One of several changes that make one revision. */
export interface Part {
  readonly action: string;
  readonly subject: Subject;
  readonly change: ChangeDetail;
}

/** Takes the place of `PolicyChanges` where several changes become one: each runs in the transaction of the whole and leaves no revision of its own. */
export class PartsOfChange {
  readonly parts: Part[] = [];
  readonly dirty: Dirty[] = [];

  constructor(private readonly tx: Transaction) {}

  async apply<T>(
    _author: Author,
    action: string,
    _reason: string | undefined,
    change: (tx: Transaction) => Promise<PolicyChange<T>>,
  ): Promise<Changed<T>> {
    const done = await change(this.tx);
    this.take(action, [done]);
    // The whole has a revision, and nobody asks a part for it.
    return { result: done.result, revision: 0 };
  }

  /** Takes in what was done. */
  take(action: string, done: readonly PolicyChange<unknown>[]): void {
    for (const one of done) {
      if ('unchanged' in one) continue;
      this.parts.push({ action, subject: one.subject, change: one.change });
      this.dirty.push(...one.dirty);
    }
  }

  /** For services, which know no other way to change policy. */
  asChanges(): PolicyChanges {
    return this as Pick<PolicyChanges, 'apply'> as PolicyChanges;
  }
}
