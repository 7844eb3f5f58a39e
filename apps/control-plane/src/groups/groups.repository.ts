import type { Group, Prisma, Transaction } from '@portcullis/database';

const withCount = { _count: { select: { members: true } } } satisfies Prisma.GroupInclude;

export type GroupRow = Group & { _count: { members: number } };

const isId = (reference: string): boolean => reference.length === 36;

export async function findGroup(db: Transaction, reference: string): Promise<GroupRow | null> {
  return db.group.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, include: withCount });
}

/** Which one is meant, and nothing more: its members are not counted. */
export async function identifyGroup(db: Transaction, reference: string): Promise<Pick<Group, 'id' | 'slug'> | null> {
  return db.group.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, select: { id: true, slug: true } });
}

/** In order of slug, one more than asked for. */
export async function listGroups(db: Transaction, { after, limit }: { after?: string | undefined; limit: number }): Promise<GroupRow[]> {
  return db.group.findMany({
    where: after === undefined ? {} : { slug: { gt: after } },
    include: withCount,
    orderBy: { slug: 'asc' },
    take: limit + 1,
  });
}

export async function insertGroup(db: Transaction, slug: string, name: string): Promise<GroupRow> {
  return { ...(await db.group.create({ data: { slug, name } })), _count: { members: 0 } };
}

export async function deleteGroup(db: Transaction, id: string): Promise<void> {
  await db.group.delete({ where: { id } });
}

export async function memberIds(db: Transaction, groupId: string): Promise<string[]> {
  const rows = await db.groupMember.findMany({ where: { groupId }, select: { agentId: true } });
  return rows.map(({ agentId }) => agentId);
}

/** Ids of members in order of slug, one more than asked for. */
export async function listMembers(
  db: Transaction,
  groupId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<{ id: string; slug: string }[]> {
  return db.agent.findMany({
    where: { memberships: { some: { groupId } }, ...(after === undefined ? {} : { slug: { gt: after } }) },
    select: { id: true, slug: true },
    orderBy: { slug: 'asc' },
    take: limit + 1,
  });
}

/** Whether the agent was not a member before. */
export async function insertMember(db: Transaction, groupId: string, agentId: string): Promise<boolean> {
  const { count } = await db.groupMember.createMany({ data: [{ groupId, agentId }], skipDuplicates: true });
  return count > 0;
}

/** Whether the agent was a member. */
export async function deleteMember(db: Transaction, groupId: string, agentId: string): Promise<boolean> {
  const { count } = await db.groupMember.deleteMany({ where: { groupId, agentId } });
  return count > 0;
}
