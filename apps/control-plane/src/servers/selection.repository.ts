import type { DefinitionSelection } from '@portcullis/contracts/api/drift';
import { Prisma, type Transaction } from '@portcullis/database';
import { literalLike } from '../database/literal-like.js';
import type { DecidedRow } from './definitions.repository.js';

/** A definition with the slug of its server. */
export type SelectedRow = DecidedRow & { readonly slug: string };

/** In order of id, over all servers; one more than `limit` where there are more. */
export async function findSelected(
  tx: Transaction,
  { server, tag, states, kinds, names }: DefinitionSelection,
  limit: number,
): Promise<SelectedRow[]> {
  const conditions = [
    Prisma.sql`d.state::text = ANY(${states}::text[])`,
    ...(server === undefined ? [] : [server.length === 36 ? Prisma.sql`s.id = ${server}::uuid` : Prisma.sql`s.slug = ${server}`]),
    ...(tag === undefined ? [] : [Prisma.sql`${tag} = ANY(s.tags)`]),
    ...(kinds === undefined ? [] : [Prisma.sql`d.kind::text = ANY(${kinds}::text[])`]),
    ...(names === undefined ? [] : [Prisma.sql`d.name LIKE ANY(${names.map(globLike)}::text[])`]),
  ];
  return tx.$queryRaw<SelectedRow[]>`
    SELECT d.id::text AS id, d.server_id::text AS "serverId", s.slug, d.kind::text AS kind, d.name, d.state::text AS state, d.hash,
      d.approved_hash AS "approvedHash"
    FROM definition d JOIN server s ON s.id = d.server_id
    WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY d.id LIMIT ${limit + 1}`;
}

/** The pattern that matches what the glob does: `*` is its only sign with a meaning. */
const globLike = (glob: string): string => glob.split('*').map(literalLike).join('%');
