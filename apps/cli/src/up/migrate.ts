import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import pg from 'pg';
import { CliError, messageOf } from '../cli-error.js';
import { type Say, step } from '../progress.js';
import { inWorkspace } from '../workspace.js';

const prismaOutputBytesMax = 1_000_000;

export interface Migration {
  readonly databaseUrl: string;
  /** What the migrating program inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Brings the database to this checkout's schema. Costs milliseconds when there is nothing to do. */
export async function migrate({ databaseUrl, inherited, say, signal }: Migration): Promise<void> {
  const wanted = await migrationsHere();
  const done = await migrationsIn(databaseUrl);
  const newer = [...done].filter((name) => !wanted.includes(name));
  if (newer.length > 0) {
    throw new CliError(
      `The database was used by a newer version of Portcullis (it holds ${newer.join(', ')}). Use that version, or another data directory.`,
    );
  }
  if (wanted.every((name) => done.has(name))) return;
  await step(say, 'Bringing the database up to date', () => prismaDeploy(databaseUrl, inherited, signal));
}

async function migrationsHere(): Promise<string[]> {
  const entries = await readdir(inWorkspace('prisma/migrations'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Those that were finished. Empty for a database that does not exist yet, which Prisma makes. */
async function migrationsIn(databaseUrl: string): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ migration_name: string }>(
      'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
    );
    return new Set(rows.map((row) => row.migration_name));
  } catch (error) {
    const code = (error as { code?: string }).code;
    // No such table, no such database.
    if (code === '42P01' || code === '3D000') return new Set();
    throw new CliError(
      `Postgres at ${hostOf(databaseUrl)} cannot be used: ${messageOf(error)}. Check DATABASE_URL, or unset it to use one of our own.`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Host and port alone: the rest of the address may hold a password. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '(not a URL)';
}

function prismaDeploy(databaseUrl: string, inherited: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const prisma = inWorkspace('node_modules/prisma/build/index.js');
  // The schema engine is a script that asks PATH for node; it must be this one.
  const path = [dirname(process.execPath), inherited['PATH']].filter(Boolean).join(delimiter);
  const env = { ...inherited, PATH: path, DATABASE_URL: databaseUrl, CHECKPOINT_DISABLE: '1', NO_COLOR: '1' };
  return new Promise((resolve, reject) => {
    const options = { cwd: inWorkspace(), env, signal, maxBuffer: prismaOutputBytesMax };
    execFile(process.execPath, [prisma, 'migrate', 'deploy'], options, (error, stdout, stderr) => {
      if (!error) return resolve();
      if (signal.aborted) return reject(signal.reason as Error);
      const output = `${stdout}\n${stderr}`.replaceAll(databaseUrl, '(DATABASE_URL)').trim().slice(-2_000);
      reject(new CliError(`The database could not be brought up to date. Prisma says:\n${output || error.message}`));
    });
  });
}
