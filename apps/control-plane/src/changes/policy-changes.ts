import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type ChunkKind, type Prisma, type Transaction } from '@portcullis/database';
import type { Author, ChangeDetail, Subject } from './author.js';
import { inTransaction } from './in-transaction.js';
import { forgetRows, keepRows } from './kept-rows.js';
import { PolicyNews } from './policy-news.js';
import { recordAction } from './record-action.js';

/** A bucket that a change touched; `kind` null means the settings. */
export interface Dirty {
  readonly kind: ChunkKind | null;
  readonly bucket: number;
}

/** What a change did. `unchanged` where everything already was as asked: then there is no revision and no audit event. */
export type PolicyChange<T> =
  | { readonly result: T; readonly subject: Subject; readonly change: ChangeDetail; readonly dirty: readonly Dirty[] }
  | { readonly result: T; readonly unchanged: true };

/** `revision` holds the change, or is the current one where nothing changed. */
export interface Changed<T> {
  readonly result: T;
  readonly revision: number;
}

/** The only way to change policy. */
@Injectable()
export class PolicyChanges {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyNews) private readonly news: PolicyNews,
  ) {}

  /**
   * Runs the change in one transaction with its revision, its dirty buckets and its audit event: all of it or nothing.
   * Changes are serialized, so commit order is revision order. The change may run more than once (deadlock) and must
   * touch nothing but `tx`.
   */
  async apply<T>(
    author: Author,
    action: string,
    reason: string | undefined,
    change: (tx: Transaction) => Promise<PolicyChange<T>>,
  ): Promise<Changed<T>> {
    const { isNew, ...changed } = await inTransaction(this.database, async (tx) => {
      const state = await lockPolicy(tx);
      const revision = state.revision + 1;
      await keepRows(tx, revision, action);
      const done = await change(tx);
      if ('unchanged' in done) {
        await forgetRows(tx, revision);
        return { result: done.result, revision: state.revision, isNew: false };
      }
      await writeRevision(tx, { author, action, reason, done, epoch: state.epoch, revision });
      return { result: done.result, revision, isNew: true };
    });
    if (isNew) this.news.committed(changed.revision);
    return changed;
  }
}

async function lockPolicy(tx: Transaction): Promise<{ epoch: number; revision: number }> {
  const [state] = await tx.$queryRaw<{ epoch: number; revision: number }[]>`SELECT epoch, revision FROM policy_state WHERE id = 1 FOR UPDATE`;
  if (state === undefined) throw new Error('The database has no policy_state row; it is not migrated');
  return state;
}

interface NewRevision {
  readonly author: Author;
  readonly action: string;
  readonly reason: string | undefined;
  readonly done: Extract<PolicyChange<unknown>, { change: ChangeDetail }>;
  readonly epoch: number;
  readonly revision: number;
}

async function writeRevision(tx: Transaction, { author, action, reason, done, epoch, revision }: NewRevision): Promise<void> {
  const { subject, change } = done;
  // One statement order for all changes, and plain JSON only: what Postgres keeps is what was meant.
  const detail = JSON.parse(JSON.stringify({ subject, change })) as Prisma.InputJsonObject;
  await tx.policyState.update({ where: { id: 1 }, data: { revision } });
  await tx.revision.create({ data: { revision, author: author.name, action, reason: reason ?? null, change: detail } });
  const buckets = new Map(done.dirty.map((dirty) => [`${dirty.kind ?? ''}/${dirty.bucket}`, dirty]));
  await tx.dirtyBucket.createMany({ data: [...buckets.values()].map(({ kind, bucket }) => ({ revision, kind, bucket })) });
  await recordAction(tx, author, { action, detail: { subject, change, reason: reason ?? null }, policy: { epoch, revision } });
}
