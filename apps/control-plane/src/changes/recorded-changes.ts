import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { Author, ChangeDetail, Subject } from './author.js';
import { inTransaction } from './in-transaction.js';
import { recordAction } from './record-action.js';

/** What a change that is not policy did (an operator, a token, a join token). `unchanged` leaves no audit event. */
export type RecordedChange<T> =
  | { readonly result: T; readonly subject: Subject; readonly change: ChangeDetail; readonly requestId?: string }
  | { readonly result: T; readonly unchanged: true };

/** Changes that nodes need not hear of: no revision, but an audit event in their transaction all the same. */
@Injectable()
export class RecordedChanges {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  async apply<T>(author: Author, action: string, change: (tx: Transaction) => Promise<RecordedChange<T>>): Promise<T> {
    return inTransaction(this.database, async (tx) => {
      await author.precondition?.hold(tx);
      const done = await change(tx);
      const glass = author.breakGlass === undefined ? {} : { breakGlass: author.breakGlass };
      if (!('unchanged' in done))
        await recordAction(tx, author, { action, detail: { subject: done.subject, change: done.change, ...glass }, requestId: done.requestId });
      await author.precondition?.note(tx);
      return done.result;
    });
  }
}
