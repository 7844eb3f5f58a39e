import type { Transaction } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';
import type { Precondition } from './author.js';
import type { VersionedResource } from './resource-versions.js';

/** Holds for the versions that `If-Match` names, or for any. */
export class VersionCondition implements Precondition {
  /** As it was found, and once the change is done as that left it; absent where there is none. */
  current: string | undefined;

  constructor(
    private readonly resource: VersionedResource,
    private readonly reference: string,
    private readonly wanted: ReadonlySet<string> | 'any',
  ) {}

  async hold(tx: Transaction): Promise<void> {
    this.current = (await this.resource.version(tx, this.reference, 'lock')) ?? undefined;
    if (this.wanted === 'any' || (this.current !== undefined && this.wanted.has(this.current))) return;
    // What does not exist is told by whoever looks for it.
    if (this.current === undefined && this.resource.isMadeByPut !== true) return;
    throw new ProblemError('precondition_failed', 'Read it again, see what changed, and send the change with the ETag that you got then.');
  }

  async note(tx: Transaction): Promise<void> {
    this.current = (await this.resource.version(tx, this.reference)) ?? undefined;
  }
}
