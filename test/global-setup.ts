import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPostgres } from '@portcullis/local-services';
import { provideTestServices } from '@portcullis/testing';

const root = fileURLToPath(new URL('..', import.meta.url));
const TEMPLATE = 'portcullis_template';

/** One Postgres for the whole run, with one migrated database that test files copy. */
export async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-postgres-'));
  const postgres = await startPostgres({ directory, durable: false, log: (line) => process.stdout.write(`${line}\n`) });
  const teardown = async (): Promise<void> => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await migrate(postgres.url);
  } catch (error) {
    await teardown();
    throw error;
  }
  provideTestServices({ postgresUrl: postgres.url, templateDatabase: TEMPLATE });
  return teardown;
}

async function migrate(postgresUrl: string): Promise<void> {
  const template = new URL(postgresUrl);
  template.pathname = `/${TEMPLATE}`;
  const prisma = join(root, 'node_modules/prisma/build/index.js');
  const env = { ...process.env, DATABASE_URL: template.href };
  // Makes the database as well.
  await promisify(execFile)(process.execPath, [prisma, 'migrate', 'deploy'], { cwd: root, env });
}
