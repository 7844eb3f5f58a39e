import type { Prisma, Requestable, Transaction } from '@portcullis/database';
import { insertRows } from '../database/write-rows.js';

const withSlugs = {
  agent: { select: { slug: true } },
  group: { select: { slug: true } },
  server: { select: { slug: true } },
} satisfies Prisma.RequestableInclude;

export type RequestableRow = Requestable & { agent: { slug: string } | null; group: { slug: string } | null; server: { slug: string } | null };

export async function findRequestable(db: Transaction, id: string): Promise<RequestableRow | null> {
  return db.requestable.findUnique({ where: { id }, include: withSlugs });
}

/** Oldest first, one more than asked for. */
export async function listRequestable(
  db: Transaction,
  about: Pick<Prisma.RequestableWhereInput, 'agentId' | 'groupId' | 'serverId'>,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<RequestableRow[]> {
  return db.requestable.findMany({
    where: after === undefined ? about : { ...about, id: { gt: after } },
    include: withSlugs,
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

/** The rules that speak to an agent, by itself or through its groups. */
export async function rulesFor(db: Transaction, agentId: string): Promise<Requestable[]> {
  return db.requestable.findMany({ where: { OR: [{ agentId }, { group: { members: { some: { agentId } } } }] } });
}

export async function insertRequestables(db: Transaction, rules: readonly RequestableRow[]): Promise<void> {
  await insertRows(
    db,
    'requestable_rule',
    rules.map(({ agent: _agent, group: _group, server: _server, ...row }) => row),
  );
}

export async function updateRequestable(db: Transaction, id: string, data: Prisma.RequestableUncheckedUpdateInput): Promise<RequestableRow> {
  return db.requestable.update({ where: { id }, data, include: withSlugs });
}

export async function deleteRequestable(db: Transaction, id: string): Promise<void> {
  await db.requestable.delete({ where: { id } });
}
