import type { Budget, Transaction } from '@portcullis/database';
import { monthOf } from './cost-days.js';
import { agentsOf, spentBy } from './spent.repository.js';

/** How much of a budget is spent. */
export interface BudgetState {
  readonly budget: Budget;
  readonly agents: readonly string[];
  readonly spentMicros: bigint;
  readonly month: string;
  /** The levels that the budget warns at and that are reached. */
  readonly reached: readonly number[];
}

/** The state of every budget, or of those with this action, as far as costs are counted. */
export async function budgetStates(tx: Transaction, where: Pick<Partial<Budget>, 'action'> = {}): Promise<BudgetState[]> {
  const states: BudgetState[] = [];
  for (const budget of await tx.budget.findMany({ where, orderBy: { id: 'asc' } })) states.push(await stateOf(tx, budget));
  return states;
}

export async function stateOf(tx: Transaction, budget: Budget): Promise<BudgetState> {
  const agents = await agentsOf(tx, budget);
  const spentMicros = await spentBy(tx, agents, budget.currency);
  const reached = budget.warnPercents.filter((percent) => spentMicros * 100n >= budget.amountMicros * BigInt(percent));
  return { budget, agents, spentMicros, month: monthOf(new Date()), reached };
}
