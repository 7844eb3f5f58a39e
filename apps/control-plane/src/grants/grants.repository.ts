import type { Grant, Prisma, Transaction } from '@portcullis/database';

const withSlugs = {
  agent: { select: { slug: true } },
  group: { select: { slug: true } },
  server: { select: { slug: true } },
} satisfies Prisma.GrantInclude;

/** How what a grant is about is called. */
export interface SlugsOfGrant {
  readonly agent: { slug: string } | null;
  readonly group: { slug: string } | null;
  readonly server: { slug: string } | null;
}

export type GrantRow = Grant & SlugsOfGrant;

export interface GrantFilter {
  readonly agentId?: string | undefined;
  readonly groupId?: string | undefined;
  readonly serverId?: string | undefined;
  readonly mode?: Grant['mode'] | undefined;
}

export async function findGrant(db: Transaction, id: string): Promise<GrantRow | null> {
  return db.grant.findUnique({ where: { id }, include: withSlugs });
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

/** `slugs` are those of what the grant is about, so that nothing is read again. */
export async function insertGrant(db: Transaction, data: Prisma.GrantUncheckedCreateInput, slugs: SlugsOfGrant): Promise<GrantRow> {
  return { ...(await db.grant.create({ data })), ...slugs };
}

export async function updateGrant(db: Transaction, id: string, data: Prisma.GrantUncheckedUpdateInput): Promise<GrantRow> {
  return db.grant.update({ where: { id }, data, include: withSlugs });
}

export async function deleteGrant(db: Transaction, id: string): Promise<void> {
  await db.grant.delete({ where: { id } });
}

/** The server behind a UUID or slug. */
export async function findGrantedServer(db: Transaction, reference: string): Promise<{ id: string; slug: string } | null> {
  return db.server.findUnique({ where: reference.length === 36 ? { id: reference } : { slug: reference }, select: { id: true, slug: true } });
}
