import type { CallLimit, Prisma, Transaction } from '@portcullis/database';

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

export async function countLimitsOf(db: Transaction, where: Pick<Prisma.CallLimitWhereInput, 'agentId' | 'groupId' | 'serverId'>): Promise<number> {
  return db.callLimit.count({ where });
}

export async function insertLimit(db: Transaction, data: Prisma.CallLimitUncheckedCreateInput): Promise<LimitRow> {
  return db.callLimit.create({ data, include: withSlugs });
}

export async function updateLimit(db: Transaction, id: string, data: Prisma.CallLimitUncheckedUpdateInput): Promise<LimitRow> {
  return db.callLimit.update({ where: { id }, data, include: withSlugs });
}

export async function deleteLimit(db: Transaction, id: string): Promise<void> {
  await db.callLimit.delete({ where: { id } });
}
