import { Inject, Injectable } from '@nestjs/common';
import type { Budget, BudgetPage, CreateBudget, UpdateBudget } from '@portcullis/contracts/api/budgets';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type Budget as BudgetRow, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { stateOf, type BudgetState } from './find-budgets.js';

/** What agents may cost in a month. */
@Injectable()
export class BudgetsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof BudgetPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const rows = await this.database.budget.findMany({
      where: after === undefined ? {} : { id: { gt: after } },
      orderBy: { id: 'asc' },
      take: limit + 1,
    });
    const page = pageFrom(
      rows,
      limit,
      (row) => row,
      ({ id }) => [id],
    );
    return { ...page, items: await Promise.all(page.items.map(async (row) => toBudget(await stateOf(this.database, row)))) };
  }

  async read(id: string): Promise<Budget> {
    return toBudget(await stateOf(this.database, await found(this.database, id)));
  }

  async create(author: Author, { subject, amountMicros, ...fields }: CreateBudget): Promise<Budget> {
    return this.changes.apply(author, 'budget.created', async (tx) => {
      const data = { ...fields, ...columnsOf(subject), amountMicros: BigInt(amountMicros), createdBy: author.name };
      const row = await tx.budget.create({ data });
      return { result: toBudget(await stateOf(tx, row)), subject: subjectOf(row), change: { ...fields, subject, amountMicros } };
    });
  }

  async update(author: Author, id: string, wanted: UpdateBudget): Promise<Budget> {
    return this.changes.apply(author, 'budget.updated', async (tx) => {
      const row = await found(tx, id);
      const { amountMicros, ...fields } = wanted;
      const data = { ...fields, ...(amountMicros === undefined ? {} : { amountMicros: BigInt(amountMicros) }) };
      const updated = await tx.budget.update({ where: { id }, data: data as Partial<BudgetRow> });
      return { result: toBudget(await stateOf(tx, updated)), subject: subjectOf(row), change: wanted };
    });
  }

  async delete(author: Author, id: string): Promise<void> {
    await this.changes.apply(author, 'budget.deleted', async (tx) => {
      const row = await found(tx, id);
      await tx.budget.delete({ where: { id } });
      return { result: undefined, subject: subjectOf(row), change: { deleted: true, name: row.name } };
    });
  }
}

async function found(db: Transaction, id: string): Promise<BudgetRow> {
  const row = await db.budget.findUnique({ where: { id } });
  if (row === null) throw notFound('budget');
  return row;
}

const subjectOf = ({ id }: BudgetRow): Subject => ({ kind: 'budget', id });

function columnsOf(subject: Budget['subject']): Pick<BudgetRow, 'subjectKind' | 'subject'> {
  if ('agent' in subject) return { subjectKind: 'agent', subject: subject.agent };
  return 'group' in subject ? { subjectKind: 'group', subject: subject.group } : { subjectKind: 'owner', subject: subject.owner };
}

function subjectIn({ subjectKind, subject }: BudgetRow): Budget['subject'] {
  if (subjectKind === 'agent') return { agent: subject };
  return subjectKind === 'group' ? { group: subject } : { owner: subject };
}

const toBudget = ({ budget, spentMicros, month }: BudgetState): Budget => ({
  id: budget.id,
  name: budget.name,
  subject: subjectIn(budget),
  currency: budget.currency,
  amountMicros: String(budget.amountMicros),
  warnPercents: budget.warnPercents,
  action: budget.action === 'block' ? 'block' : 'warn',
  month,
  spentMicros: String(spentMicros),
  createdBy: budget.createdBy,
  createdAt: budget.createdAt.toISOString(),
  updatedAt: budget.updatedAt.toISOString(),
});
