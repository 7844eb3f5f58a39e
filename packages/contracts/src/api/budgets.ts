import { z } from 'zod';
import { Id } from '../names.js';
import { pageOf, Timestamp } from './conventions.js';
import { Micros } from './costs.js';

const Amount = z.string().regex(/^[1-9]\d{0,14}$/, 'must be a positive whole number of millionths, as a text of digits');
const percents = z.array(z.number().int().min(1).max(1000)).min(1).max(10);

const budgetFields = {
  name: z.string().trim().min(1).max(200),
  /** Whose costs are meant: those of one agent, of the members of a group, or of the agents of an owner, as they are today. */
  subject: z.union([
    z.strictObject({ agent: z.string().min(1).max(256) }),
    z.strictObject({ group: z.string().min(1).max(256) }),
    z.strictObject({ owner: z.string().min(1).max(256) }),
  ]),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters'),
  /** For each calendar month, in UTC. */
  amountMicros: Amount,
  /** Alert rules of the kind `budget` speak when so much of it is spent. */
  warnPercents: percents,
  /** `block`: when it is spent, no call of its agents is made until the month ends (`limit.budget`). Calls under way, and some seconds' calls more, are. */
  action: z.enum(['warn', 'block']),
};

export const CreateBudget = z
  .strictObject({ ...budgetFields, warnPercents: percents.default([80, 100]), action: budgetFields.action.default('warn') })
  .meta({ id: 'CreateBudget', examples: [{ name: 'Research', subject: { group: 'research' }, currency: 'EUR', amountMicros: '500000000' }] });
export type CreateBudget = z.infer<typeof CreateBudget>;

/** What is left out stays as it is. Whose budget it is does not change. */
export const UpdateBudget = z
  .strictObject({ name: budgetFields.name, amountMicros: Amount, warnPercents: percents, action: budgetFields.action })
  .partial()
  .meta({ id: 'UpdateBudget' });
export type UpdateBudget = z.infer<typeof UpdateBudget>;

/** What may be spent in a month, and what was, some seconds ago at most. */
export const Budget = z
  .object({
    id: Id,
    ...budgetFields,
    amountMicros: Micros,
    month: z.string(),
    spentMicros: Micros,
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Budget' });
export type Budget = z.infer<typeof Budget>;
export const BudgetPage = pageOf(Budget).meta({ id: 'BudgetPage' });
