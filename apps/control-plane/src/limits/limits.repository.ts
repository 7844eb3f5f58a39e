import type { CallLimit, Prisma, Transaction } from '@portcullis/database';
import { insertRows } from '../database/write-rows.js';

const withSlugs = {
  agent: { select: { slug: true } },
  group: { select: { slug: true } },
  server: { select: { slug: true } },
} satisfies Prisma.CallLimitInclude;

export type LimitRow = CallLimit & { agent: { slug: string } | null; group: { slug: string } | null; server: { slug: string } | null };

export async function findLimit(db: Transaction, id: string): Promise<LimitRow | null> {
  return db.callLimit.findUnique({ where: { id }, include: withSlugs });
}

/** Oldest first, one more than asked for. */
export async function listLimits(
  db: Transaction,
  where: Pick<Prisma.CallLimitWhereInput, 'agentId' | 'groupId' | 'serverId'>,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<LimitRow[]> {
  const page = after === undefined ? where : { ...where, id: { gt: after } };
  return db.callLimit.findMany({ where: page, include: withSlugs, orderBy: { id: 'asc' }, take: limit + 1 });
}

/** Those that a call of this agent at this server would count to, whatever tool it calls. */
export async function limitsBetween(
  db: Transaction,
  agent: { readonly id: string; readonly groupIds: readonly string[] },
  serverId: string,
): Promise<LimitRow[]> {
  const where = { OR: [{ agentId: agent.id }, { groupId: { in: [...agent.groupIds] } }, { serverId }] };
  return db.callLimit.findMany({ where, include: withSlugs, orderBy: { id: 'asc' } });
}

/** How many limits each of these agents, groups and servers has, by its id. */
export async function countLimitsOf(db: Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const among = { in: [...ids] };
  const by = ['agentId', 'groupId', 'serverId'] as const;
  const found = await db.callLimit.groupBy({ by: [...by], where: { OR: by.map((column) => ({ [column]: among })) }, _count: true });
  return new Map(found.map(({ _count, ...about }) => [subjectIdOf(about), _count]));
}

/** Whom a limit is about. */
export const subjectIdOf = ({ agentId, groupId, serverId }: Pick<CallLimit, 'agentId' | 'groupId' | 'serverId'>): string =>
  agentId ?? groupId ?? serverId ?? '';

/** With the slugs of whom they are about; those that there are no more are left out. */
export async function findLimits(db: Transaction, ids: readonly string[]): Promise<LimitRow[]> {
  return db.callLimit.findMany({ where: { id: { in: [...ids] } }, include: withSlugs });
}

export async function insertLimits(db: Transaction, limits: readonly LimitRow[]): Promise<void> {
  await insertRows(
    db,
    'call_limit',
    limits.map(({ agent: _agent, group: _group, server: _server, ...row }) => row),
  );
}

export async function updateLimit(db: Transaction, id: string, data: Prisma.CallLimitUncheckedUpdateInput): Promise<LimitRow> {
  return db.callLimit.update({ where: { id }, data, include: withSlugs });
}

export async function deleteLimit(db: Transaction, id: string): Promise<void> {
  await db.callLimit.delete({ where: { id } });
}
