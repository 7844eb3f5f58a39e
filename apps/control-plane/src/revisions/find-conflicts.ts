import { isDeepStrictEqual } from 'node:util';
import { Prisma, type Transaction } from '@portcullis/database';
import type { Fault } from '../http/problem.js';
import type { NetChange } from './net-changes.js';
import { identifier, policyReferences, type PolicyEntity, type Reference, type Row } from './policy-entities.js';

export type CurrentRows = ReadonlyMap<PolicyEntity, ReadonlyMap<string, Row>>;

/** A revision's changes beside what their rows are now. */
export interface Undoing {
  readonly revision: number;
  readonly changes: readonly NetChange[];
  readonly current: CurrentRows;
}

/** What is in the way of undoing a revision: later changes of the same rows, or of rows that these hang on. Empty when nothing is. */
export async function findConflicts(tx: Transaction, undoing: Undoing): Promise<Fault[]> {
  const references = await policyReferences(tx);
  const faults: Fault[] = [];
  for (const change of undoing.changes) {
    const what = rowConflict(change, undoing.current.get(change.entity)?.get(change.key));
    if (what !== undefined) faults.push(fault(change, `${what}${await sinceWhen(tx, change, undoing.revision)}`));
  }
  return [
    ...faults,
    ...(await missingParents(tx, undoing, references)),
    ...(await laterChildren(tx, undoing, references)),
    ...(await takenSlugs(tx, undoing)),
  ];
}

/** A server that was moved is found anew at its next discovery, so the states of its definitions stand in nobody's way. */
export const isSighting = (change: NetChange, { changes }: Pick<Undoing, 'changes'>): boolean =>
  change.entity.name === 'definition' &&
  change.before !== null &&
  change.after !== null &&
  changes.some(({ entity, after, before }) => entity.name === 'server' && before !== null && typeof after?.['url'] === 'string');

export function rowConflict({ before, after }: NetChange, now: Row | undefined): string | undefined {
  if (after === null) return now === undefined ? undefined : 'exists again';
  if (now === undefined) return 'was deleted';
  const columns = Object.keys(after).filter((column) => !isDeepStrictEqual(after[column], now[column]));
  // Of a row that this revision made, the times that discovery and others note down are no policy.
  const changed = before === null ? columns.filter((column) => !noted.has(column)) : columns;
  return changed.length === 0 ? undefined : `was changed (${changed.join(', ')})`;
}

const noted: ReadonlySet<string> = new Set(
  (
    'updated_at era both_eras era_seen_at transport instructions capabilities_json approve_first_discovery ' +
    'discovered_at discovery_error discovery_problems next_discovery_at last_seen_at'
  ).split(' '),
);

const fault = ({ entity, key }: Pick<NetChange, 'entity' | 'key'>, detail: string): Fault => ({ pointer: `/${entity.noun}/${key}`, detail });

async function sinceWhen(tx: Transaction, { entity, key }: NetChange, revision: number): Promise<string> {
  const later = await tx.policyRowChange.findFirst({ where: { entity: entity.name, key, revision: { gt: revision } }, orderBy: { id: 'desc' } });
  return later === null ? ' since' : ` in revision ${later.revision}`;
}

/** Rows to come back whose server, agent or group is gone and does not come back with them. */
async function missingParents(tx: Transaction, { changes }: Undoing, references: readonly Reference[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  const returning = changes.filter(({ after }) => after === null);
  for (const { child, column, parent } of references) {
    const wanted = returning.filter(({ entity, before }) => entity.name === child && typeof before?.[column] === 'string');
    if (wanted.length === 0) continue; // not every parent's key is a UUID
    const ids = wanted.map(({ before }) => String(before?.[column]));
    const found = await tx.$queryRaw<{ id: string }[]>`SELECT id::text AS id FROM ${identifier(parent)} WHERE id = ANY(${ids}::uuid[])`;
    const present = new Set([...found.map(({ id }) => id), ...returning.filter(({ entity }) => entity.name === parent).map(({ key }) => key)]);
    const orphans = wanted.filter(({ before }) => !present.has(String(before?.[column])));
    faults.push(
      ...orphans.map((change) => fault(change, `cannot come back: its ${parent.replace('agent_', '')} ${String(change.before?.[column])} is gone`)),
    );
  }
  return faults;
}

/** Written by triggers from rows of policy: comes and goes with them, and is nobody's decision. */
const derived: ReadonlySet<string> = new Set(['search_entry']);

/** Rows of later revisions that would vanish with a row that this revision made. */
async function laterChildren(tx: Transaction, { changes }: Undoing, references: readonly Reference[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  const leaving = changes.filter(({ before }) => before === null);
  for (const { child, column, parent } of references) {
    if (derived.has(child)) continue;
    const ids = leaving.filter(({ entity }) => entity.name === parent).map(({ key }) => key);
    if (ids.length === 0) continue;
    // What a server offers goes with it, unless somebody has decided on it.
    const counts = child === 'definition' ? Prisma.sql`AND decided_at IS NOT NULL` : Prisma.empty;
    const rows = await tx.$queryRaw<{ parent: string; row: Row }[]>`
      SELECT ${identifier(column)}::text AS parent, to_jsonb(t) - 'hash' - 'json' - 'approved_json' AS row FROM ${identifier(child)} t WHERE ${identifier(column)} = ANY(${ids}::uuid[]) ${counts}`;
    const own = new Set(leaving.filter(({ entity }) => entity.name === child).map(({ entity, key }) => `${entity.name} ${key}`));
    const entity = changes.find((change) => change.entity.name === parent)?.entity;
    for (const { parent: key, row } of rows) {
      const childKey = leaving.find((change) => change.entity.name === child)?.entity.key ?? ['id'];
      const id = childKey.map((part) => String(row[part])).join('/');
      if (entity !== undefined && !own.has(`${child} ${id}`)) faults.push(fault({ entity, key }, `has a row in ${child} since: ${id}`));
    }
  }
  return faults;
}

async function takenSlugs(tx: Transaction, { changes, current }: Undoing): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const change of changes.filter(({ after, before }) => after === null && typeof before?.['slug'] === 'string')) {
    const slug = String(change.before?.['slug']);
    const [taken] = await tx.$queryRaw<{ id: string }[]>`SELECT id::text AS id FROM ${identifier(change.entity.name)} WHERE slug = ${slug}`;
    if (taken !== undefined && !current.get(change.entity)?.has(taken.id)) faults.push(fault(change, `cannot come back: its slug ${slug} is taken`));
  }
  return faults;
}
