import { Inject, Injectable } from '@nestjs/common';
import { type Prisma, PrismaClient, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { recordAction } from '../changes/record-action.js';
import { ProblemError } from '../http/problem.js';
import { tookTooLong, withinFiveSeconds } from './audit.repository.js';

/** Reading the trail is on record too, in the transaction of the reading. */
@Injectable()
export class AuditReading {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** `detail` says what was looked for. Throws `unavailable` for what takes longer than five seconds. */
  async reading<T>(author: Author, detail: Readonly<Record<string, unknown>>, read: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.bounded(async (tx) => {
      const found = await read(tx);
      await recordAction(tx, author, { action: 'audit.read', detail });
      return found;
    });
  }

  /** A further part of a reading that is on record already. */
  async bounded<T>(read: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.within(read, 'ReadCommitted');
  }

  /** A further part, all of whose statements see the same. */
  async atOnce<T>(read: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.within(read, 'RepeatableRead');
  }

  private async within<T>(read: (tx: Transaction) => Promise<T>, isolationLevel: Prisma.TransactionIsolationLevel): Promise<T> {
    try {
      return await withinFiveSeconds(this.database, read, isolationLevel);
    } catch (error) {
      if (tookTooLong(error))
        throw new ProblemError('unavailable', 'The search took too long. Narrow it by time or by an exact filter.', [], { cause: error });
      throw error;
    }
  }
}
