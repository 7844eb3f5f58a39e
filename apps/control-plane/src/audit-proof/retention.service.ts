import { Inject, Injectable } from '@nestjs/common';
import type { AuditRetention, AuditRetentionDay, AuditRetentionRun, SetAuditRetention } from '@portcullis/contracts/api/audit-retention';
import { PrismaClient, type AuditHold as HoldRow, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { AuditSealer } from './audit-sealer.js';
import { countDay, dropDay, isHeldOn, isLockTimeout, isUnsealed, keptDays, oldDays, waitNoLongerThan, type OldDay } from './retention.repository.js';
import { becomeOnlySealer, BEFORE_ALL, lastBlock } from './seal-repository.js';

/** The trail must go on: nobody waits for this longer than for a slow commit. */
const LOCK_MS_MAX = 3000;
/** For one day: a busy one has tens of millions of rows, which are counted. */
const DAY_MS_MAX = 600_000;

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

  /**
   * Drops each day whose time is over and on which nothing is held, each in a transaction of its own; or only says which these are. A day that cannot be
   * dropped keeps no other: why is told at the end.
   */
  async run(author: Author, dryRun: boolean): Promise<AuditRetentionRun> {
    const { days } = await this.read();
    const items: AuditRetentionDay[] = [];
    const failures: unknown[] = [];
    for (const old of days === null ? [] : await oldDays(this.database, days)) {
      const deed = dryRun ? this.within((tx) => judge(tx, old)) : this.dropIfQuiet(author, old);
      const done = await deed.catch((error: unknown) => void failures.push(error));
      if (done !== undefined) items.push(done);
    }
    if (failures.length > 0) throw failures[0];
    if (dryRun)
      await inTransaction(this.database, (tx) => recordAction(tx, author, { action: 'audit-retention.rehearsed', detail: { days, items } }));
    return { dryRun, items };
  }

  private async dropIfQuiet(author: Author, old: OldDay): Promise<AuditRetentionDay | undefined> {
    try {
      return await this.within((tx) => this.drop(tx, author, old));
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return { ...(await this.within((tx) => judge(tx, old))), outcome: 'busy' };
    }
  }

  private async within<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this.database, work, { timeout: DAY_MS_MAX });
  }

  /** Undefined where the day is to be kept by now. */
  private async drop(tx: Transaction, author: Author, old: OldDay): Promise<AuditRetentionDay | undefined> {
    await waitNoLongerThan(tx, LOCK_MS_MAX);
    await becomeOnlySealer(tx);
    // Before what others wait for: what is stored from here on is in no block, and is seen below.
    const events = await countDay(tx, old.day);
    // Nobody creates a hold, or has the trail kept for longer, between the look and the deed.
    await tx.$executeRaw`LOCK TABLE audit_hold IN SHARE MODE`;
    const days = await keptDays(tx);
    if (days === null || (await oldDays(tx, days, old.day)).length === 0) return undefined;
    const judged = await judge(tx, old, events);
    if (judged.outcome !== 'dropped') return judged;
    const { day } = judged;
    await author.precondition?.hold(tx);
    await dropDay(tx, day);
    const reason = `older than ${days} days`;
    const block = await this.sealer.addBlock(tx, { kind: 'dropped', links: [], dropped: { day, events, reason, by: author.name } });
    const detail = { subject: { kind: 'audit-day', id: day }, change: { events, reason, block: Number(block) } };
    await recordAction(tx, author, { action: 'audit-day.dropped', detail });
    return judged;
  }
}

async function judge(tx: Transaction, { day, bytes }: OldDay, counted?: number): Promise<AuditRetentionDay> {
  const block = await lastBlock(tx);
  const events = counted ?? (await countDay(tx, day));
  const unsealed = await isUnsealed(tx, day, block?.txThrough ?? BEFORE_ALL);
  const holds: string[] = [];
  for (const hold of await activeHolds(tx)) if (await isHeldOn(tx, day, hold)) holds.push(hold.id);
  return { day, events, bytes, outcome: holds.length > 0 ? 'held' : unsealed ? 'unsealed' : 'dropped', holds };
}

const activeHolds = async (tx: Transaction): Promise<HoldRow[]> => tx.auditHold.findMany({ where: { releasedAt: null }, orderBy: { id: 'asc' } });
