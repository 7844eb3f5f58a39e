import { Prisma, type Group, type Transaction } from '@portcullis/database';
import { insertRows } from '../database/write-rows.js';

const withCount = { _count: { select: { members: true } } } satisfies Prisma.GroupInclude;

export type GroupRow = Group & { _count: { members: number } };

const isId = (reference: string): boolean => reference.length === 36;

export async function findGroup(db: Transaction, reference: string): Promise<GroupRow | null> {
  return db.group.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, include: withCount });
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

export async function insertGroups(db: Transaction, groups: readonly GroupRow[]): Promise<void> {
  await insertRows(
    db,
    'agent_group',
    groups.map(({ _count: _none, ...row }) => row),
  );
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

export interface Member {
  readonly groupId: string;
  readonly agentId: string;
}

/** Those that were not members before. */
export async function insertMembers(db: Transaction, members: readonly Member[]): Promise<Member[]> {
  return db.$queryRaw<Member[]>`
    INSERT INTO agent_group_member (group_id, agent_id) SELECT * FROM ${asRows(members)} ON CONFLICT DO NOTHING
    RETURNING group_id::text AS "groupId", agent_id::text AS "agentId"`;
}

/** Those that were members. */
export async function deleteMembers(db: Transaction, members: readonly Member[]): Promise<Member[]> {
  return db.$queryRaw<Member[]>`
    DELETE FROM agent_group_member AS member USING ${asRows(members)} AS leaving (group_id, agent_id)
    WHERE member.group_id = leaving.group_id AND member.agent_id = leaving.agent_id
    RETURNING member.group_id::text AS "groupId", member.agent_id::text AS "agentId"`;
}

function asRows(members: readonly Member[]): Prisma.Sql {
  const [groups, agents] = [members.map(({ groupId }) => groupId), members.map(({ agentId }) => agentId)];
  return Prisma.sql`unnest(${groups}::uuid[], ${agents}::uuid[])`;
}
