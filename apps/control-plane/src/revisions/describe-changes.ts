import type { RevisionChange } from '@portcullis/contracts/api/policy';
import { Prisma, type Transaction } from '@portcullis/database';
import type { NetChange } from './net-changes.js';
import { identifier, type Row } from './policy-entities.js';

/** The beginning of a diff, and how much there is of it. */
export interface Diff {
  readonly diff: RevisionChange[];
  readonly diffTotal: number;
}

const DIFF_MAX = 200;

export async function diffOf(tx: Transaction, changes: readonly NetChange[]): Promise<Diff> {
  return { diff: await describeChanges(tx, changes.slice(0, DIFF_MAX)), diffTotal: changes.length };
}

/** Changes as an operator reads them: names instead of ids, digests instead of bytes, nothing that only the machinery needs. */
async function describeChanges(tx: Transaction, changes: readonly NetChange[]): Promise<RevisionChange[]> {
  const slugs = await slugsOf(tx, changes);
  return changes.map(({ entity, key, before, after }) => ({
    kind: entity.noun,
    id: key,
    operation: before === null ? 'created' : after === null ? 'deleted' : 'updated',
    before: before && described(before, slugs),
    after: after && described(after, slugs),
  }));
}

const referring: Readonly<Record<string, { readonly table: string; readonly member: string }>> = {
  server_id: { table: 'server', member: 'server' },
  agent_id: { table: 'agent', member: 'agent' },
  group_id: { table: 'agent_group', member: 'group' },
};

const machinery: ReadonlySet<string> = new Set(
  (
    'id json approved_json created_at updated_at era both_eras era_seen_at transport instructions capabilities_json ' +
    'approve_first_discovery discovered_at discovery_error discovery_problems next_discovery_at first_seen_at last_seen_at'
  ).split(' '),
);

function described(row: Row, slugs: ReadonlyMap<string, string>): Record<string, unknown> {
  const members = Object.entries(row).flatMap(([column, value]): [string, unknown][] => {
    if (machinery.has(column)) return [];
    const reference = referring[column];
    if (reference === undefined) return [[camelCase(column), value]];
    return typeof value === 'string' ? [[reference.member, slugs.get(value) ?? value]] : [];
  });
  return Object.fromEntries(members);
}

const camelCase = (column: string): string => column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Slugs of everything these rows refer to, of what is gone by now, or not there yet, as well. */
async function slugsOf(tx: Transaction, changes: readonly NetChange[]): Promise<ReadonlyMap<string, string>> {
  const slugs = new Map(changes.flatMap(({ key, after }) => (typeof after?.['slug'] === 'string' ? [[key, after['slug']] as const] : [])));
  for (const [column, { table }] of Object.entries(referring)) {
    const ids = changes.flatMap(({ before, after }) => [before?.[column], after?.[column]]).filter((id) => typeof id === 'string');
    if (ids.length === 0) continue;
    const rows = await tx.$queryRaw<{ id: string; slug: string }[]>(Prisma.sql`
      SELECT key AS id, coalesce(after ->> 'slug', before ->> 'slug') AS slug FROM policy_row_change
        WHERE entity = ${table} AND key = ANY(${ids}) AND coalesce(after ->> 'slug', before ->> 'slug') IS NOT NULL
      UNION ALL SELECT id::text, slug FROM ${identifier(table)} WHERE id = ANY(${ids}::uuid[])`);
    for (const { id, slug } of rows) slugs.set(id, slug);
  }
  return slugs;
}
