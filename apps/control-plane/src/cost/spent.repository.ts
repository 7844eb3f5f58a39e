import { Prisma, type Transaction } from '@portcullis/database';
import { daysOf } from './days-of.js';
import { readPrices, sumCosts, type CostFilter, type CostRow } from './costs.repository.js';

const DAY_MS = 86_400_000;

/** The calendar month of a time, in UTC: `2026-11`. */
export const monthOf = (at: Date): string => at.toISOString().slice(0, 7);

const monthBegin = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));

/** Prices or budgets changed: what was counted so far no longer says what was spent. */
export async function recountCosts(tx: Transaction): Promise<void> {
  await tx.alertCursor.updateMany({ where: { id: 1 }, data: { recount: true } });
}

/**
 * Adds what transactions from `from` on, below `to`, stored to what agents have spent this month; counts everything below `to` where that is needed.
 * Nothing is counted where there is no budget.
 */
export async function foldSpent(tx: Transaction, range: { readonly from: bigint; readonly to: bigint }, isRecount: boolean): Promise<void> {
  if ((await tx.budget.count()) === 0) return;
  const now = new Date();
  const month = { from: monthBegin(now), to: new Date(now.getTime() + DAY_MS) };
  if (!isRecount) return addSpent(tx, { ...month, stored: Prisma.sql`stored_tx >= ${range.from} AND stored_tx < ${range.to}` });
  await tx.costSpent.deleteMany({});
  // Rows of before places were kept have none.
  const stored = Prisma.sql`(stored_tx IS NULL OR stored_tx < ${range.to})`;
  for (const day of daysOf(month)) await addSpent(tx, { ...day, stored });
  await tx.alertCursor.update({ where: { id: 1 }, data: { recount: false } });
}

async function addSpent(tx: Transaction, filter: CostFilter): Promise<void> {
  const rows = await sumCosts(tx, await readPrices(tx), filter, ['agent']);
  const month = monthOf(filter.from);
  for (const row of rows) await add(tx, month, row);
}

async function add(tx: Transaction, month: string, { agent, currency, micros }: CostRow): Promise<void> {
  if (agent === null || agent === undefined) return;
  await tx.$executeRaw`
    INSERT INTO cost_spent AS spent (month, agent, currency, micros) VALUES (${month}, ${agent}, ${currency}, ${micros}::numeric)
    ON CONFLICT (month, agent, currency) DO UPDATE SET micros = spent.micros + excluded.micros`;
}

/** Whose costs a budget is about, by today. */
export async function agentsOf(
  tx: Transaction,
  { subjectKind, subject }: { readonly subjectKind: string; readonly subject: string },
): Promise<string[]> {
  const where =
    subjectKind === 'agent'
      ? { slug: subject }
      : subjectKind === 'owner'
        ? { owner: subject }
        : { memberships: { some: { group: { slug: subject } } } };
  const rows = await tx.agent.findMany({ where, select: { slug: true }, orderBy: { slug: 'asc' } });
  return rows.map(({ slug }) => slug);
}

/** What these agents have spent this month. */
export async function spentBy(tx: Transaction, agents: readonly string[], currency: string): Promise<bigint> {
  const [sum] = await tx.$queryRaw<[{ micros: string | null }]>`
    SELECT sum(micros)::text AS micros FROM cost_spent
    WHERE month = ${monthOf(new Date())} AND currency = ${currency} AND agent = ANY(${[...agents]})`;
  return BigInt(sum.micros ?? '0');
}
