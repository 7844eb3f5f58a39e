import { Inject, Injectable } from '@nestjs/common';
import type { AuditRetention, AuditRetentionDay, AuditRetentionRun, SetAuditRetention } from '@portcullis/contracts/api/audit-retention';
import { PrismaClient, type AuditHold as HoldRow, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { AuditSealer } from './audit-sealer.js';
import { countDay, dropDay, isHeldOn, isLockTimeout, oldDays, waitNoLongerThan, type OldDay } from './retention.repository.js';
import { becomeOnlySealer, BEFORE_ALL, lastBlock } from './seal-repository.js';

/** The trail must go on: nobody waits for this longer than for a slow commit. */
const LOCK_MS_MAX = 3000;

/** How long the trail is kept. What is dropped leaves a signed block, so that the rest still proves to be whole. */
@Injectable()
export class RetentionService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(AuditSealer) private readonly sealer: AuditSealer,
  ) {}

  async read(): Promise<AuditRetention> {
    const { days } = await this.database.auditRetention.findUniqueOrThrow({ where: { id: 1 } });
    return { days };
  }

  async set(author: Author, { days, reason }: SetAuditRetention): Promise<AuditRetention> {
    return this.changes.apply(author, 'audit-retention.set', async (tx) => {
      const before = await tx.auditRetention.findUniqueOrThrow({ where: { id: 1 } });
      if (before.days === days) return { result: { days }, unchanged: true };
      await tx.auditRetention.update({ where: { id: 1 }, data: { days } });
      return { result: { days }, subject: { kind: 'audit-retention', id: 'audit-retention' }, change: { before: before.days, after: days, reason } };
    });
  }

  /** Drops each day whose time is over and on which nothing is held, each in a transaction of its own; or only says which these are. */
  async run(author: Author, dryRun: boolean): Promise<AuditRetentionRun> {
    const { days } = await this.read();
    const items: AuditRetentionDay[] = [];
    for (const old of days === null ? [] : await oldDays(this.database, days)) {
      items.push(await (dryRun ? inTransaction(this.database, (tx) => judge(tx, old)) : this.dropIfQuiet(author, { old, days: days ?? 0 })));
    }
    if (dryRun)
      await inTransaction(this.database, (tx) => recordAction(tx, author, { action: 'audit-retention.rehearsed', detail: { days, items } }));
    return { dryRun, items };
  }

  private async dropIfQuiet(author: Author, which: { old: OldDay; days: number }): Promise<AuditRetentionDay> {
    try {
      return await inTransaction(this.database, (tx) => this.drop(tx, author, which));
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return { ...(await inTransaction(this.database, (tx) => judge(tx, which.old))), outcome: 'busy' };
    }
  }

  private async drop(tx: Transaction, author: Author, { old, days }: { old: OldDay; days: number }): Promise<AuditRetentionDay> {
    await waitNoLongerThan(tx, LOCK_MS_MAX);
    await becomeOnlySealer(tx);
    // Nobody creates a hold between the look and the deed.
    await tx.$executeRaw`LOCK TABLE audit_hold IN SHARE MODE`;
    const judged = await judge(tx, old);
    if (judged.outcome !== 'dropped') return judged;
    const { day, events } = judged;
    await author.precondition?.hold(tx);
    await dropDay(tx, day);
    const reason = `older than ${days} days`;
    const block = await this.sealer.addBlock(tx, { kind: 'dropped', links: [], dropped: { day, events, reason, by: author.name } });
    const detail = { subject: { kind: 'audit-day', id: day }, change: { events, reason, block: Number(block) } };
    await recordAction(tx, author, { action: 'audit-day.dropped', detail });
    return judged;
  }
}

async function judge(tx: Transaction, { day, bytes }: OldDay): Promise<AuditRetentionDay> {
  const block = await lastBlock(tx);
  const { events, unsealed } = await countDay(tx, day, block?.txThrough ?? BEFORE_ALL);
  const holds: string[] = [];
  for (const hold of await activeHolds(tx)) if (await isHeldOn(tx, day, hold)) holds.push(hold.id);
  return { day, events, bytes, outcome: holds.length > 0 ? 'held' : unsealed ? 'unsealed' : 'dropped', holds };
}

const activeHolds = async (tx: Transaction): Promise<HoldRow[]> => tx.auditHold.findMany({ where: { releasedAt: null }, orderBy: { id: 'asc' } });
