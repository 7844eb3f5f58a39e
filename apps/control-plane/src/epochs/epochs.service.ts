import { Inject, Injectable } from '@nestjs/common';
import type { CreateEpoch, Epoch } from '@portcullis/contracts/api/policy';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';

/** Which line of revisions counts, and an operator's word that it is this database's. */
@Injectable()
export class EpochsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async read(): Promise<Epoch> {
    return readEpoch(this.database);
  }

  /** Begins an epoch above all that was ever seen; the whole policy is compiled again under it, and nodes go back to it. */
  async create(author: Author, { reason }: CreateEpoch): Promise<Changed<Epoch>> {
    return this.changes.apply(author, 'epoch.created', reason, async (tx) => {
      const before = await readEpoch(tx);
      const epoch = Math.max(before.epoch, before.ahead?.epoch ?? 0) + 1;
      await tx.policyState.update({ where: { id: 1 }, data: { aheadEpoch: null, aheadRevision: null } });
      const result = { epoch, revision: before.revision + 1, ahead: null };
      return { result, subject: { kind: 'epoch', id: String(epoch) }, change: { before, after: result }, dirty: [], epoch };
    });
  }
}

async function readEpoch(database: PrismaClient | Transaction): Promise<Epoch> {
  const { epoch, revision, aheadEpoch, aheadRevision } = await database.policyState.findUniqueOrThrow({ where: { id: 1 } });
  return { epoch, revision, ahead: aheadEpoch === null || aheadRevision === null ? null : { epoch: aheadEpoch, revision: aheadRevision } };
}
