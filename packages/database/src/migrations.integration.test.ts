import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freshDatabase } from '@portcullis/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the migrations make exactly the schema that the client was generated from', { timeout: 60_000 }, async () => {
  const database = await freshDatabase();
  const args = ['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema.prisma', '--exit-code'];
  const env = { ...process.env, DATABASE_URL: database.url };
  const { stdout } = await promisify(execFile)('node_modules/.bin/prisma', args, { cwd: root, env });
  expect(stdout).toContain('No difference detected');
  await database.drop();
});
