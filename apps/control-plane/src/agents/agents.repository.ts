import type { ToolNameStyle } from '@portcullis/contracts/names';
import type { Agent, AgentKey, AgentKeyUse, Prisma, Transaction } from '@portcullis/database';
import { inParts } from '../database/in-parts.js';
import { literalLike } from '../database/literal-like.js';
import { insertRows, updateRows } from '../database/write-rows.js';

const withGroups = {
  memberships: { select: { group: { select: { slug: true } } }, orderBy: { group: { slug: 'asc' } } },
} satisfies Prisma.AgentInclude;

export type AgentRow = Agent & { memberships: { group: { slug: string } }[] };

/** The style as it is called in REST and in the database; the client has no hyphens in names. */
export const shownStyle = (style: Agent['toolNameStyle']): ToolNameStyle => (style === 'double_underscore' ? 'double-underscore' : style);

const isId = (reference: string): boolean => reference.length === 36;

export async function findAgent(db: Transaction, reference: string): Promise<AgentRow | null> {
  return db.agent.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference }, include: withGroups });
}

/** In order of slug, so many as a page may have; more in no order. */
export async function findAgents(db: Transaction, ids: readonly string[]): Promise<AgentRow[]> {
  return inParts(ids, (part) => db.agent.findMany({ where: { id: { in: part } }, include: withGroups, orderBy: { slug: 'asc' } }));
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

export async function insertAgents(db: Transaction, agents: readonly AgentRow[]): Promise<void> {
  await insertRows(
    db,
    'agent',
    agents.map(({ memberships: _memberships, ...row }) => ({ ...row, toolNameStyle: shownStyle(row.toolNameStyle) })),
  );
}

/** Writes what may change in these agents. */
export async function updateAgents(db: Transaction, rows: readonly AgentRow[]): Promise<void> {
  const columns = rows.map(({ id, name, owner, enabled, toolNameStyle, updatedAt }) => {
    return { id, name, owner, enabled, toolNameStyle: shownStyle(toolNameStyle), updatedAt };
  });
  await updateRows(db, 'agent', columns);
}

export async function deleteAgents(db: Transaction, ids: readonly string[]): Promise<void> {
  await inParts(ids, async (part) => [await db.agent.deleteMany({ where: { id: { in: part } } })]);
}

/** A key, and when it was last called with. */
export type UsedKey = AgentKey & { use: Pick<AgentKeyUse, 'lastUsedAt'> | null };
const withUse = { use: { select: { lastUsedAt: true } } } satisfies Prisma.AgentKeyInclude;

/** In order of id, one more than asked for. */
export async function listAgentKeys(
  db: Transaction,
  agentId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<UsedKey[]> {
  return db.agentKey.findMany({
    where: { agentId, ...(after === undefined ? {} : { id: { gt: after } }) },
    include: withUse,
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

export async function insertAgentKey(db: Transaction, data: Prisma.AgentKeyUncheckedCreateInput): Promise<AgentKey> {
  return db.agentKey.create({ data });
}

export async function findAgentKey(db: Transaction, agentId: string, id: string): Promise<UsedKey | null> {
  return db.agentKey.findFirst({ where: { id, agentId }, include: withUse });
}

/** The key of this agent that is good now and was made last. */
export async function findNewestLiveKey(db: Transaction, agentId: string, now: Date): Promise<AgentKey | null> {
  const where = { agentId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  return db.agentKey.findFirst({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }] });
}

export async function revokeAgentKey(db: Transaction, id: string, at: Date): Promise<void> {
  await db.agentKey.update({ where: { id }, data: { revokedAt: at } });
}

export async function endAgentKey(db: Transaction, id: string, expiresAt: Date): Promise<UsedKey> {
  return db.agentKey.update({ where: { id }, data: { expiresAt }, include: withUse });
}
