import type { Transaction } from '@portcullis/database';

/** What has to be so for a change to be made, looked at in its transaction. */
export interface Precondition {
  /** Refuses (412) where it is not so. Whoever else would change the same waits from then on. */
  hold(tx: Transaction): Promise<void>;
  /** Called when the change is done, to see what it left. */
  note(tx: Transaction): Promise<void>;
}

/** Makes a change of policy, takes it back, and leaves by throwing what there is to tell. */
export type Rehearse = (change: (tx: Transaction) => Promise<{ readonly isChanged: boolean }>) => Promise<never>;

/** Who makes a change: an operator (a `Caller`), or a part of the system under a name of its own (`portcullis/discovery`). */
export interface Author {
  readonly name: string;
  /** What else they are called where agents name their owners: that binds them as much as their name does. */
  readonly aliases?: readonly string[];
  /** Public id of the operator's token. */
  readonly tokenId?: string;
  /** Why, where the change itself does not say. */
  readonly reason?: string;
  /** Why an operator with that right gives more to an agent of their own. */
  readonly breakGlass?: string;
  /** Which version of a resource they mean. */
  readonly precondition?: Precondition;
  /** Set where they only want to know what their change of policy would do. */
  readonly rehearse?: Rehearse;
}

/** What a change is about, in the words an auditor would search for. */
export interface Subject {
  readonly kind: string;
  readonly id: string;
  readonly slug?: string;
}

/** Plain JSON that is kept for ever and shown to auditors: no secret, no hash of one. */
export type ChangeDetail = Readonly<Record<string, unknown>>;

/** Everything that an operator is called. */
export const namesOf = ({ name, aliases = [] }: Author): readonly string[] => [name, ...aliases];
