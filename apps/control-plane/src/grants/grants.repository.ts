import type { Grant, Prisma, Transaction } from '@portcullis/database';
import type { Named } from '../database/identify-all.js';
import { inParts } from '../database/in-parts.js';
import { insertRows, updateRows } from '../database/write-rows.js';

const withSlugs = {
  agent: { select: { slug: true } },
  group: { select: { slug: true } },
  server: { select: { slug: true } },
} satisfies Prisma.GrantInclude;

export type GrantRow = Grant & Prisma.GrantGetPayload<{ select: typeof withSlugs }>;

/** What a grant is about, as rows that are there. */
export interface About {
  readonly agent: Named | null;
  readonly group: Named | null;
  readonly server: Named | null;
}

export interface GrantFilter {
  readonly agentId?: string | undefined;
  readonly groupId?: string | undefined;
  readonly serverId?: string | undefined;
  readonly mode?: Grant['mode'] | undefined;
}

export async function findGrants(db: Transaction, ids: readonly string[]): Promise<GrantRow[]> {
  return inParts(ids, (part) => db.grant.findMany({ where: { id: { in: part } }, include: withSlugs }));
}

/** Oldest first, one more than asked for. Ids are UUIDv7, so their order is that of creation. */
export async function listGrants(
  db: Transaction,
  { agentId, groupId, serverId, mode }: GrantFilter,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<GrantRow[]> {
  return db.grant.findMany({
    where: {
      ...(agentId === undefined ? {} : { agentId }),
      ...(groupId === undefined ? {} : { groupId }),
      ...(serverId === undefined ? {} : { serverId }),
      ...(mode === undefined ? {} : { mode }),
      ...(after === undefined ? {} : { id: { gt: after } }),
    },
    include: withSlugs,
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

/** Oldest first, of whatever kind. */
export async function grantsWhere(db: Transaction, where: Prisma.GrantWhereInput, take: number): Promise<GrantRow[]> {
  return db.grant.findMany({ where, include: withSlugs, orderBy: { id: 'asc' }, take });
}

/** A condition on rows that are about these, and whatever else. */
export function aboutOnly(about: About): { readonly agentId?: string; readonly groupId?: string; readonly serverId?: string } {
  const { agent, group, server } = about;
  return { ...(agent && { agentId: agent.id }), ...(group && { groupId: group.id }), ...(server && { serverId: server.id }) };
}

/** What a row about this has in its columns. */
export const idsOf = ({ agent, group, server }: About) => ({ agentId: agent?.id ?? null, groupId: group?.id ?? null, serverId: server?.id ?? null });

export async function insertGrants(db: Transaction, grants: readonly GrantRow[]): Promise<void> {
  await insertRows(
    db,
    'access_grant',
    grants.map(({ agent: _agent, group: _group, server: _server, ...row }) => row),
  );
}

/** Writes what may change in these grants. */
export async function updateGrants(db: Transaction, rows: readonly Grant[]): Promise<void> {
  const columns = rows.map(({ id, names, condition, pinned, rateLimit, mode, notBefore, expiresAt, reason, updatedAt }) => {
    return { id, names, condition, pinned, rateLimit, mode, notBefore, expiresAt, reason, updatedAt };
  });
  await updateRows(db, 'access_grant', columns);
}

export async function deleteGrants(db: Transaction, ids: readonly string[]): Promise<void> {
  await inParts(ids, async (part) => [await db.grant.deleteMany({ where: { id: { in: part } } })]);
}
