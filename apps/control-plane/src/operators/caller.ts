import type { OperatorRole } from '@portcullis/database';
import type { Precondition, Rehearse } from '../changes/author.js';

/** An authenticated operator. `tokenId` is the public part of the token that was used. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  /** What else they are called where agents name their owners. */
  readonly aliases?: readonly string[];
  readonly role: OperatorRole;
  readonly tokenId: string;
  /** Whether the operator has the break-glass right; `breakGlass` is set where it is used. */
  readonly mayBreakGlass: boolean;
  readonly breakGlass?: string;
  /** Why the caller makes this change of policy, where the body of the request does not say. */
  readonly reason?: string;
  /** Which version of a resource the caller means, as `If-Match` says. */
  readonly precondition?: Precondition;
  /** Set where the caller only wants to know what the change would do. */
  readonly rehearse?: Rehearse;
}
