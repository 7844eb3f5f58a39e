import { Prisma, type Grant, type PrismaClient, type Server, type Transaction } from '@portcullis/database';
import type { ListServersQuery } from '@portcullis/contracts/api/servers';
import { TargetSelector } from '@portcullis/contracts/grants';
import { selectsServer } from '@portcullis/policy';
import { findTroubles, SHOWN_MS, type FoundTrouble } from '../credentials/find-troubles.js';
import { inParts } from '../database/in-parts.js';
import { literalLike } from '../database/literal-like.js';
import { updateRows } from '../database/write-rows.js';
import { readHosting, type HostingRows } from './to-hosting.js';

type StateCounts = Record<'pending' | 'approved' | 'changed' | 'rejected' | 'removed', number>;

/** A server with how many definitions it has in each state, how many grants name or select it, and what is wrong with what it is called with. */
export type ServerRow = Server & {
  readonly counts: StateCounts;
  readonly grantCount: number;
  readonly troubles: readonly FoundTrouble[];
  /** Of servers of stdio alone. */
  readonly hosting?: HostingRows | undefined;
};

type Reader = PrismaClient | Transaction;

const isId = (reference: string): boolean => reference.length === 36;

export async function findServer(db: Reader, reference: string): Promise<ServerRow | null> {
  const server = await db.server.findUnique({ where: isId(reference) ? { id: reference } : { slug: reference } });
  return server === null ? null : ((await withCounts(db, [server]))[0] ?? null);
}

/** In order of slug, one more than asked for. */
export async function listServers(
  db: Reader,
  { q, tag, environment, enabled, limit }: ListServersQuery,
  after: string | undefined,
): Promise<ServerRow[]> {
  const like = q === undefined ? undefined : `%${literalLike(q)}%`;
  const conditions = [
    Prisma.sql`true`,
    ...(after === undefined ? [] : [Prisma.sql`slug > ${after}`]),
    ...(tag === undefined ? [] : [Prisma.sql`${tag} = ANY(tags)`]),
    ...(environment === undefined ? [] : [Prisma.sql`environment = ${environment}`]),
    ...(enabled === undefined ? [] : [Prisma.sql`enabled = ${enabled === 'true'}`]),
    ...(like === undefined
      ? []
      : [
          Prisma.sql`(slug ILIKE ${like} OR name ILIKE ${like} OR url ILIKE ${like} OR EXISTS (SELECT 1 FROM unnest(tags) AS t WHERE t ILIKE ${like}))`,
        ]),
  ];
  const found = await db.$queryRaw<
    { id: string }[]
  >`SELECT id::text AS id FROM server WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY slug LIMIT ${limit + 1}`;
  return withCounts(db, await db.server.findMany({ where: { id: { in: found.map(({ id }) => id) } }, orderBy: { slug: 'asc' } }));
}

async function withCounts(db: Reader, servers: readonly Server[]): Promise<ServerRow[]> {
  const where = { serverId: { in: servers.map(({ id }) => id) } };
  const states = await db.definition.groupBy({ by: ['serverId', 'state'], where, _count: true });
  const grants = await db.grant.groupBy({ by: ['serverId'], where, _count: true });
  const troubles = await findTroubles(db, { serverIds: servers.map(({ id }) => id), endsBefore: new Date(Date.now() + SHOWN_MS) });
  const selecting = await db.grant.findMany({ where: { serverId: null, effect: 'allow', mode: 'enforce' }, select: { selector: true } });
  const selectors = selecting.map(({ selector }) => TargetSelector.parse(selector));
  const stdio = servers.flatMap(({ id, transportPin }) => (transportPin === 'stdio' ? [id] : []));
  const hosting = await readHosting(db, stdio);
  const grantCounts = new Map(grants.map(({ serverId, _count }) => [serverId, _count]));
  return servers.map((server) => {
    const counts: StateCounts = { pending: 0, approved: 0, changed: 0, rejected: 0, removed: 0 };
    for (const { serverId, state, _count } of states) if (serverId === server.id) counts[state] = _count;
    return {
      ...server,
      counts,
      troubles: troubles.filter(({ serverId }) => serverId === server.id),
      hosting: hosting.get(server.id),
      grantCount: (grantCounts.get(server.id) ?? 0) + selectors.filter((selector) => selectsServer(selector, server)).length,
    };
  });
}

export async function insertServer(tx: Transaction, data: Prisma.ServerCreateInput): Promise<Server> {
  return tx.server.create({ data });
}

/** Writes these columns of servers, and no others: discovery writes into the same rows. */
export async function updateServers(tx: Transaction, rows: readonly (Partial<Server> & Pick<Server, 'id'>)[]): Promise<void> {
  await updateRows(tx, 'server', rows);
}

export async function findServers(tx: Transaction, ids: readonly string[]): Promise<Server[]> {
  return inParts(ids, (part) => tx.server.findMany({ where: { id: { in: part } } }));
}

/** What it changes from now on counts; its next discovery is asked for by whoever resumes it. */
export async function resumeServer(tx: Transaction, id: string): Promise<void> {
  await tx.$executeRaw`UPDATE server SET suspended_at = NULL, suspended_reason = NULL, drift_counted_since = clock_timestamp() WHERE id = ${id}::uuid`;
}

/** Its definitions and grants go with it; gives the subjects that those grants were for. */
export async function deleteServer(tx: Transaction, id: string): Promise<string[]> {
  const grants: Pick<Grant, 'agentId' | 'groupId'>[] = await tx.grant.findMany({ where: { serverId: id }, select: { agentId: true, groupId: true } });
  await tx.server.delete({ where: { id } });
  return grants.flatMap(({ agentId, groupId }) => agentId ?? groupId ?? []);
}
