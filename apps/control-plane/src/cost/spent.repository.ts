import type { Transaction } from '@portcullis/database';
import { monthOf } from './cost-days.js';

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

/** What these agents have spent this month, as far as costs are summed up. */
export async function spentBy(tx: Transaction, agents: readonly string[], currency: string): Promise<bigint> {
  const [sum] = await tx.$queryRaw<[{ micros: string | null }]>`
    SELECT sum(micros)::text AS micros FROM cost_spent
    WHERE month = ${monthOf(new Date())} AND currency = ${currency} AND agent = ANY(${[...agents]})`;
  return BigInt(sum.micros ?? '0');
}
