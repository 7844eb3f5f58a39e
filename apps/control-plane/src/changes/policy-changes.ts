import { Inject, Injectable } from '@nestjs/common';
import { redactText } from '@portcullis/audit';
import { Prisma, PrismaClient, type Transaction } from '@portcullis/database';
import type { Author, ChangeDetail, Subject } from './author.js';
import type { Dirty } from './dirty.js';
import { inTransaction } from './in-transaction.js';
import { ProblemError } from '../http/problem.js';
import { requireUnderstood } from '../snapshots/understood-schema.js';
import { forgetRows, keepRows } from './kept-rows.js';
import { PolicyNews } from './policy-news.js';
import { recordActions, type Action } from './record-action.js';
import { SelfWideningGuard, type Widened } from './self-widening-guard.js';
import { WaitingLine } from './waiting-line.js';

export type { Dirty } from './dirty.js';

/** What a change did. */
export interface MadeChange<T> {
  readonly result: T;
  readonly subject: Subject;
  readonly change: ChangeDetail;
  readonly dirty: readonly Dirty[];
  /** Given where the change begins a new epoch, which ends a hold on publishing. */
  readonly epoch?: number;
  /** Actions that this one implies, on record after it. */
  readonly also?: readonly Pick<Action, 'action' | 'detail'>[];
  /** The access request that this is part of; that of a grant is found without. */
  readonly requestId?: string;
  /** Where only the work finds out what it was: instead of the action and reason it was begun with. */
  readonly turnedOut?: { readonly action: string; readonly reason: string };
}

/** `unchanged` where everything already was as asked: then there is no revision and no audit event. */
export type PolicyChange<T> = MadeChange<T> | { readonly result: T; readonly unchanged: true };

/** Of changes that are made together, the one where there is one. */
export function only<T>([change]: readonly T[]): T {
  if (change === undefined) throw new Error('One change was to be made, and none was');
  return change;
}

/** `revision` holds the change, or is the current one where nothing changed. */
export interface Changed<T> {
  readonly result: T;
  readonly revision: number;
}

/** One that makes its change, and one that waits for the lock already, so that the lock is never free while somebody wants it. */
const CONNECTED_MAX = 2;
const CROWDED = 'Too many changes of policy wait for one another. Nothing was changed; try again.';

/** The only way to change policy. */
@Injectable()
export class PolicyChanges {
  private readonly line = new WaitingLine(CONNECTED_MAX, () => new ProblemError('unavailable', CROWDED));

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyNews) private readonly news: PolicyNews,
    @Inject(SelfWideningGuard) private readonly guard: SelfWideningGuard,
  ) {}

  /**
   * Runs the change in one transaction with its revision, its dirty buckets and its audit event: all of it or nothing.
   * Changes are serialized, so commit order is revision order. The change may run more than once (deadlock) and must
   * touch nothing but `tx`. Refuses (403) what would give more to an agent of its author's.
   */
  async apply<T>(
    author: Author,
    action: string,
    reason: string | undefined,
    change: (tx: Transaction) => Promise<PolicyChange<T>>,
  ): Promise<Changed<T>> {
    if (author.rehearse !== undefined)
      return author.rehearse(async (tx) => ({ isChanged: !('unchanged' in (await this.tryIn(tx, author, change))) }));
    const { isNew, ...changed } = await this.line.take(() => inTransaction(this.database, (tx) => this.make(tx, { author, action, reason, change })));
    if (isNew) this.news.committed(changed.revision);
    return changed;
  }

  private async make<T>(tx: Transaction, { author, action, reason, change }: WantedChange<T>): Promise<Changed<T> & { isNew: boolean }> {
    const state = await lockPolicy(tx);
    const revision = state.revision + 1;
    await author.precondition?.hold(tx);
    await keepRows(tx, revision, action);
    const done = await change(tx);
    if ('unchanged' in done) {
      await forgetRows(tx, revision);
      await author.precondition?.note(tx);
      return { result: done.result, revision: state.revision, isNew: false };
    }
    const widened = await this.check(tx, author, { state, done });
    const epoch = done.epoch ?? state.epoch;
    await writeRevision(tx, { author, action, reason: reason ?? author.reason, ...done.turnedOut, done, widened, epoch, revision });
    await author.precondition?.note(tx);
    return { result: done.result, revision, isNew: true };
  }

  /** Makes the change in a transaction that somebody takes back; refuses what `apply` would refuse. */
  async tryIn<Made extends PolicyChange<unknown>>(tx: Transaction, author: Author, change: (tx: Transaction) => Promise<Made>): Promise<Made> {
    const state = await readPolicyState(tx);
    await author.precondition?.hold(tx);
    const done = await change(tx);
    if (!('unchanged' in done)) await this.check(tx, author, { state, done });
    return done;
  }

  private async check(tx: Transaction, author: Author, made: { state: LockedPolicy; done: MadeChange<unknown> }): Promise<readonly Widened[]> {
    const { state, done } = made;
    if (state.ahead && done.epoch === undefined) throw new ProblemError('conflict', HELD);
    await requireUnderstood(tx, done.dirty);
    return this.guard.check(tx, author, done.dirty);
  }
}

interface WantedChange<T> {
  readonly author: Author;
  readonly action: string;
  readonly reason: string | undefined;
  readonly change: (tx: Transaction) => Promise<PolicyChange<T>>;
}

interface LockedPolicy {
  readonly epoch: number;
  readonly revision: number;
  /** Whether a newer policy than this database knows is in use. */
  readonly ahead: boolean;
}

const HELD =
  'Nodes follow a newer policy than this database knows; it was probably restored from a backup. Nothing can be changed until POST /v1/epochs says that it counts.';

const lockPolicy = (tx: Transaction): Promise<LockedPolicy> => readPolicyState(tx, Prisma.sql`FOR UPDATE`);

async function readPolicyState(tx: Transaction, locking: Prisma.Sql = Prisma.empty): Promise<LockedPolicy> {
  const [state] = await tx.$queryRaw<LockedPolicy[]>`
    SELECT epoch, revision, ahead_revision IS NOT NULL AS ahead FROM policy_state WHERE id = 1 ${locking}`;
  if (state === undefined) throw new Error('The database has no policy_state row; it is not migrated');
  return state;
}

interface NewRevision {
  readonly author: Author;
  readonly action: string;
  readonly reason: string | undefined;
  readonly done: MadeChange<unknown>;
  readonly widened: readonly Widened[];
  readonly epoch: number;
  readonly revision: number;
}

async function writeRevision(tx: Transaction, { author, action, reason, done, widened, epoch, revision }: NewRevision): Promise<void> {
  const { subject, change } = done;
  const glass = author.breakGlass === undefined ? {} : { breakGlass: redactText(author.breakGlass), widened };
  const why = reason === undefined ? null : redactText(reason); // as the trail tells it
  const buckets = new Map(done.dirty.map((dirty) => [`${dirty.kind ?? ''}/${dirty.bucket}`, dirty]));
  // One round trip for all of it, since other changes wait meanwhile. What is done to a grant that was asked for belongs to the request.
  const [{ request } = { request: null }] = await tx.$queryRaw<{ request: string | null }[]>`
    WITH state AS (UPDATE policy_state SET epoch = ${epoch}, revision = ${revision} WHERE id = 1),
      made AS (INSERT INTO revision (revision, author, action, reason, change)
        VALUES (${revision}, ${author.name}, ${action}, ${why}, ${JSON.stringify({ subject, change, ...glass })}::jsonb)),
      dirty AS (INSERT INTO dirty_bucket (revision, kind, bucket) SELECT ${revision}, kind, bucket
        FROM jsonb_to_recordset(${JSON.stringify([...buckets.values()])}::jsonb) AS marked (kind chunk_kind, bucket int))
    SELECT (SELECT id::text FROM access_request WHERE grant_id = ${subject.kind === 'grant' ? subject.id : null}::uuid) AS request`;
  const requestId = done.requestId ?? request ?? undefined;
  const actions = [{ action, detail: { subject, change, reason: why, ...glass } }, ...(done.also ?? [])];
  await recordActions(
    tx,
    author,
    actions.map((one) => ({ ...one, policy: { epoch, revision }, requestId })),
  );
}
