import { Prisma, type Transaction } from '@portcullis/database';
import { inParts } from './in-parts.js';

type Table = 'access_grant' | 'agent' | 'agent_group' | 'call_limit' | 'requestable_rule' | 'server';

interface Row {
  readonly id: string;
}

/** Inserts rows of one table. All give the same columns, as members named after them. One statement, where Prisma's takes a parameter for each value. */
export async function insertRows(tx: Transaction, table: Table, rows: readonly Row[]): Promise<void> {
  await forAlike(rows, (columns, alike) => {
    const listed = Prisma.raw(columns.map((column) => `"${column}"`).join(', '));
    return tx.$executeRaw`INSERT INTO ${Prisma.raw(table)} (${listed}) SELECT ${listed} FROM ${asRows(table, alike)}`;
  });
}

/** Writes columns of many rows of one table, each found by its `id`: one statement for each set of columns that rows give. */
export async function updateRows(tx: Transaction, table: Table, rows: readonly Row[]): Promise<void> {
  await forAlike(rows, (columns, alike) => {
    const set = Prisma.raw(columns.flatMap((column) => (column === 'id' ? [] : [`"${column}" = wanted."${column}"`])).join(', '));
    return tx.$executeRaw`UPDATE ${Prisma.raw(table)} AS row SET ${set} FROM ${asRows(table, alike)} AS wanted WHERE row.id = wanted.id`;
  });
}

const asRows = (table: Table, rows: readonly object[]): Prisma.Sql =>
  Prisma.sql`jsonb_populate_recordset(NULL::${Prisma.raw(table)}, ${JSON.stringify(rows)}::jsonb)`;

async function forAlike(rows: readonly Row[], write: (columns: readonly string[], rows: readonly object[]) => Promise<number>): Promise<void> {
  const stored = rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [columnOf(name), value])));
  for (const [columns, alike] of Map.groupBy(stored, (row) => Object.keys(row).join()))
    await inParts(alike, async (part) => [await write(columns.split(','), part)]);
}

const columnOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
