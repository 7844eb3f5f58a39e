import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { agentBucket } from '../agents/agents.service.js';
import type { BackgroundWork } from '../background/background-loop.js';
import { PolicyChanges } from '../changes/policy-changes.js';
import { budgetStates } from './find-budgets.js';

/** Token of the options of budgets. */
export const BUDGET_OPTIONS = 'BudgetOptions';

export interface BudgetOptions {
  readonly lookMs?: number | undefined;
}

const LOOK_MS = 2_000;
const AUTHOR = { name: 'portcullis/budgets' };

interface Due {
  readonly block: readonly { readonly id: string; readonly slug: string }[];
  readonly free: readonly { readonly id: string; readonly slug: string }[];
  readonly until: Date;
}

/** Blocks the agents of budgets that are spent until the month ends, and frees those that are not any more: a change of policy each time. */
@Injectable()
export class BudgetEnforcer implements BackgroundWork {
  readonly everyMs: number;
  readonly complaint = 'Spent budgets cannot be enforced';

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(BUDGET_OPTIONS) options: BudgetOptions,
  ) {
    this.everyMs = options.lookMs ?? LOOK_MS;
  }

  async turn(): Promise<void> {
    const first = await dueOf(this.database);
    if (first.block.length === 0 && first.free.length === 0) return;
    await this.changes.apply(AUTHOR, 'budget.enforced', 'by what was spent', async (tx) => {
      const { block, free, until } = await dueOf(tx);
      const [any] = [...block, ...free];
      if (any === undefined) return { result: undefined, unchanged: true };
      await tx.agent.updateMany({ where: { id: { in: block.map(({ id }) => id) } }, data: { budgetSpentUntil: until } });
      await tx.agent.updateMany({ where: { id: { in: free.map(({ id }) => id) } }, data: { budgetSpentUntil: null } });
      const change = { blocked: block.map(({ slug }) => slug), until: until.toISOString(), freed: free.map(({ slug }) => slug) };
      return { result: undefined, subject: { kind: 'agent', ...any }, change, dirty: [...block, ...free].map(({ id }) => agentBucket(id)) };
    });
  }
}

/** What agents are, against what budgets say. */
async function dueOf(tx: Transaction): Promise<Due> {
  const now = new Date();
  const until = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  const states = await budgetStates(tx, { action: 'block' });
  const spent = new Set(states.flatMap(({ budget, agents, spentMicros }) => (spentMicros >= budget.amountMicros ? agents : [])));
  const select = { id: true, slug: true };
  const block = await tx.agent.findMany({
    where: { slug: { in: [...spent] }, OR: [{ budgetSpentUntil: null }, { budgetSpentUntil: { not: until } }] },
    select,
  });
  const free = await tx.agent.findMany({ where: { slug: { notIn: [...spent] }, budgetSpentUntil: { gt: now } }, select });
  return { block, free, until };
}
