import type { Agent, AgentKey, Prisma, Transaction } from '@portcullis/database';
import { literalLike } from '../database/literal-like.js';

const withGroups = {
  memberships: { select: { group: { select: { slug: true } } }, orderBy: { group: { slug: 'asc' } } },
} satisfies Prisma.AgentInclude;

export type AgentRow = Agent & { memberships: { group: { slug: string } }[] };

const isId = (reference: string): boolean => reference.length === 36;

export async function findAgent(db: Transaction, reference: string): Promise<AgentRow | null> {
  return db.agent.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, include: withGroups });
}

/** Who is meant, and nothing more. */
export async function identifyAgent(db: Transaction, reference: string): Promise<Pick<Agent, 'id' | 'slug'> | null> {
  return db.agent.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, select: { id: true, slug: true } });
}

/** In order of slug. */
export async function findAgents(db: Transaction, ids: readonly string[]): Promise<AgentRow[]> {
  return db.agent.findMany({ where: { id: { in: [...ids] } }, include: withGroups, orderBy: { slug: 'asc' } });
}

/** In order of slug, one more than asked for. */
export async function listAgents(
  db: Transaction,
  { q, after, limit }: { q?: string | undefined; after?: string | undefined; limit: number },
): Promise<AgentRow[]> {
  const contains = q === undefined ? undefined : ({ contains: literalLike(q), mode: 'insensitive' } as const);
  return db.agent.findMany({
    where: {
      ...(after === undefined ? {} : { slug: { gt: after } }),
      ...(contains === undefined ? {} : { OR: [{ slug: contains }, { name: contains }, { owner: contains }] }),
    },
    include: withGroups,
    orderBy: { slug: 'asc' },
    take: limit + 1,
  });
}

export async function insertAgent(db: Transaction, data: Prisma.AgentCreateInput): Promise<AgentRow> {
  return { ...(await db.agent.create({ data })), memberships: [] };
}

export async function updateAgent(db: Transaction, id: string, data: Prisma.AgentUpdateInput): Promise<AgentRow> {
  return db.agent.update({ where: { id }, data, include: withGroups });
}

export async function deleteAgent(db: Transaction, id: string): Promise<void> {
  await db.agent.delete({ where: { id } });
}

/** In order of id, one more than asked for. */
export async function listAgentKeys(
  db: Transaction,
  agentId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<AgentKey[]> {
  return db.agentKey.findMany({
    where: { agentId, ...(after === undefined ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

export async function insertAgentKey(db: Transaction, data: Prisma.AgentKeyUncheckedCreateInput): Promise<AgentKey> {
  return db.agentKey.create({ data });
}

export async function findAgentKey(db: Transaction, agentId: string, id: string): Promise<AgentKey | null> {
  return db.agentKey.findFirst({ where: { id, agentId } });
}

/** The key of this agent that is good now and was made last. */
export async function findNewestLiveKey(db: Transaction, agentId: string, now: Date): Promise<AgentKey | null> {
  const where = { agentId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  return db.agentKey.findFirst({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
}

export async function revokeAgentKey(db: Transaction, id: string, at: Date): Promise<void> {
  await db.agentKey.update({ where: { id }, data: { revokedAt: at } });
}
