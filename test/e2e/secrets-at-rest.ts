import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { queryDatabase } from '@portcullis/testing';

/** Every table of a database as text, bytes shown as they are where they are text. */
export async function databaseText(databaseUrl: string): Promise<string> {
  const tables = await queryDatabase<{ name: string }>(databaseUrl, `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await queryDatabase<Record<string, unknown>>(databaseUrl, `SELECT * FROM "${name}"`);
      return rows.flatMap((row) => Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value))));
    }),
  );
  return texts.flat().join('\n');
}

/** Files below a directory that hold one of these texts: logs, spools, the write-ahead log, Redis' append-only file and whatever else lies there. */
export async function filesHolding(directory: string, texts: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    (await allFiles(directory)).map(async (path) => {
      // The system goes on while it is read: a file may be gone by now.
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      return texts.some((text) => bytes.includes(text)) ? [path] : [];
    }),
  );
  return found.flat();
}

export async function allFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}
