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
    if (!('unchanged' in done)) {
      this.parts.push({ action, subject: done.subject, change: done.change });
      this.dirty.push(...done.dirty);
    }
    // The whole has a revision, and nobody asks a part for it.
    return { result: done.result, revision: 0 };
  }

  /** For services, which know no other way to change policy. */
  asChanges(): PolicyChanges {
    return this as Pick<PolicyChanges, 'apply'> as PolicyChanges;
  }
}
