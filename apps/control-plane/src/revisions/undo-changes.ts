import { Prisma, type Transaction } from '@portcullis/database';
import type { NetChange } from './net-changes.js';
import { hasKeys, identifier, writableColumns, type PolicyEntity, type Row } from './policy-entities.js';

/** Gives every row back what it was before. Refuses nothing: conflicts are found before. Changes are given parents before children. */
export async function undoChanges(tx: Transaction, changes: readonly NetChange[]): Promise<void> {
  const entities = [...new Set(changes.map(({ entity }) => entity))];
  const of = (entity: PolicyEntity): readonly NetChange[] => changes.filter((change) => change.entity === entity);
  // Deletions first: what comes back may need the slug of what goes.
  for (const entity of entities.toReversed())
    await deleteRows(
      tx,
      entity,
      of(entity).filter(({ before }) => before === null),
    );
  for (const entity of entities)
    await insertRows(
      tx,
      entity,
      of(entity).flatMap(({ before, after }) => (before !== null && after === null ? [before] : [])),
    );
  for (const entity of entities)
    await updateRows(
      tx,
      entity,
      of(entity).filter(({ before, after }) => before !== null && after !== null),
    );
}

async function deleteRows(tx: Transaction, entity: PolicyEntity, changes: readonly NetChange[]): Promise<void> {
  if (changes.length === 0) return;
  const keys = changes.map(({ key }) => key);
  await tx.$executeRaw`DELETE FROM ${identifier(entity.name)} t WHERE ${hasKeys(entity, keys)}`;
}

/** Columns that came after the row was kept get their defaults. */
async function insertRows(tx: Transaction, entity: PolicyEntity, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const writable = await writableColumns(tx, entity.name);
  const table = identifier(entity.name);
  for (const [list, alike] of Map.groupBy(rows, (row) => Object.keys(row).join())) {
    const columns = Prisma.join(
      list
        .split(',')
        .filter((column) => writable.has(column))
        .map(identifier),
    );
    await tx.$executeRaw`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(null::${table}, ${JSON.stringify(alike)}::jsonb)`;
  }
}

async function updateRows(tx: Transaction, entity: PolicyEntity, changes: readonly NetChange[]): Promise<void> {
  if (changes.length === 0) return;
  if (entity.name === 'settings') return updateSettings(tx, changes);
  const writable = await writableColumns(tx, entity.name);
  const table = identifier(entity.name);
  for (const [list, alike] of Map.groupBy(changes, ({ before }) => Object.keys(before ?? {}).join())) {
    const columns = list.split(',').filter((column) => writable.has(column) && !entity.key.includes(column));
    if (columns.length === 0) continue;
    const sets = columns.map((column) => Prisma.sql`${identifier(column)} = r.${identifier(column)}`);
    if (writable.has('updated_at')) sets.push(Prisma.sql`updated_at = clock_timestamp()`);
    const records = alike.map(({ key, before }) => ({ ...before, ...keyColumns(entity, key) }));
    const same = entity.key.map((column) => Prisma.sql`t.${identifier(column)} = r.${identifier(column)}`);
    await tx.$executeRaw`UPDATE ${table} t SET ${Prisma.join(sets)}
      FROM jsonb_populate_recordset(null::${table}, ${JSON.stringify(records)}::jsonb) r WHERE ${Prisma.join(same, ' AND ')}`;
  }
}

function keyColumns({ key: columns }: PolicyEntity, key: string): Row {
  const parts = key.split('/');
  return Object.fromEntries(columns.map((column, at) => [column, parts[at]]));
}

async function updateSettings(tx: Transaction, changes: readonly NetChange[]): Promise<void> {
  for (const { before, after } of changes) {
    const added = Object.keys(after ?? {}).filter((setting) => !Object.hasOwn(before ?? {}, setting));
    await tx.$executeRaw`UPDATE policy_state SET settings = (settings - ${added}::text[]) || ${JSON.stringify(before)}::jsonb WHERE id = 1`;
  }
}
