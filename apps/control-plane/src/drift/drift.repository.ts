import type { ListDriftQuery } from '@portcullis/contracts/api/drift';
import { nameSkeleton, type MentionedName } from '@portcullis/mcp';
import { Prisma, type Definition, type DefinitionChange, type PrismaClient } from '@portcullis/database';

/** Which changes are asked for; times are a half-open interval. */
export type DriftFilter = Pick<ListDriftQuery, 'server' | 'change' | 'state' | 'name' | 'decided'> & {
  readonly since: Date;
  readonly until: Date | undefined;
};

export interface DriftPlace {
  readonly at: Date;
  readonly id: string;
}

/** Newest first, one more than asked for. */
export async function listDrift(db: PrismaClient, filter: DriftFilter, after: DriftPlace | undefined, limit: number): Promise<DefinitionChange[]> {
  const beyond = after === undefined ? {} : { OR: [{ at: { lt: after.at } }, { at: after.at, id: { lt: after.id } }] };
  return db.definitionChange.findMany({ where: { AND: [whereOf(filter), beyond] }, orderBy: [{ at: 'desc' }, { id: 'desc' }], take: limit + 1 });
}

export interface DriftCount {
  readonly serverId: string;
  readonly server: string;
  readonly changes: number;
}

/** How many match at each server, most first. */
export async function countDrift(db: PrismaClient, filter: DriftFilter): Promise<DriftCount[]> {
  const counts = await db.definitionChange.groupBy({
    by: ['serverId', 'server'],
    where: whereOf(filter),
    _count: true,
    orderBy: { _count: { id: 'desc' } },
  });
  return counts.map(({ serverId, server, _count }) => ({ serverId, server, changes: _count }));
}

export async function findDrift(db: PrismaClient, id: string): Promise<DefinitionChange | null> {
  return db.definitionChange.findUnique({ where: { id } });
}

function whereOf({ since, until, server, change, state, name, decided }: DriftFilter): Prisma.DefinitionChangeWhereInput {
  return {
    at: { gte: since, ...(until === undefined ? {} : { lt: until }) },
    ...(server === undefined ? {} : server.length === 36 ? { serverId: server } : { server }),
    ...(change === undefined ? {} : { change }),
    ...(state === undefined ? {} : { state }),
    ...(name === undefined ? {} : { name }),
    ...(decided === 'true' ? { decision: { in: ['approved', 'rejected'] } } : {}),
    ...(decided === 'false' ? { AND: [{ decision: null }, { state: { in: ['pending', 'changed'] } }] } : {}),
  };
}

export interface OtherTool {
  readonly server: string;
  readonly name: string;
}

const OTHERS_MAX = 5;

/** Approved tools whose names look like this one's. The SQL is `nameSkeleton` again. */
export async function findLookAlikes(db: PrismaClient, { id, name }: Pick<Definition, 'id' | 'name'>): Promise<OtherTool[]> {
  return db.$queryRaw<OtherTool[]>`
    SELECT s.slug AS server, d.name FROM definition d JOIN server s ON s.id = d.server_id
    WHERE d.kind = 'tool' AND d.approved_hash IS NOT NULL AND d.id <> ${id}::uuid AND d.name <> ${name}
      AND replace(replace(replace(translate(lower(d.name), '01i|_./-', 'olll'), 'rn', 'm'), 'vv', 'w'), 'cl', 'd') = ${nameSkeleton(name)}
    ORDER BY s.slug, d.name LIMIT ${OTHERS_MAX}`;
}

/** So many mentions are looked up: whoever writes a thousand names into a tool is found out by the first few. */
const MENTIONS_MAX = 1000;

/** For each of the first mentions one approved tool that it may mean, at another server than this one. */
export async function findMentioned(db: PrismaClient, mentions: readonly MentionedName[], exceptServerId: string): Promise<OtherTool[]> {
  const wanted = JSON.stringify(mentions.slice(0, MENTIONS_MAX));
  return db.$queryRaw<OtherTool[]>`
    SELECT DISTINCT ON (m.server, m.name) s.slug AS server, d.name
    FROM jsonb_to_recordset(${wanted}::jsonb) AS m (server text, name text)
    JOIN definition d ON d.kind = 'tool' AND d.name = m.name AND d.approved_hash IS NOT NULL AND d.server_id <> ${exceptServerId}::uuid
    JOIN server s ON s.id = d.server_id AND s.slug = coalesce(m.server, s.slug)
    ORDER BY m.server, m.name, s.slug`;
}
