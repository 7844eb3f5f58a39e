import { Client } from 'pg';
import { expect, test } from 'vitest';
import { freshDatabase } from './fresh-database.js';
import { freshRedis } from './fresh-redis.js';
import { queryDatabase } from './query-database.js';

test('two fresh databases are both migrated and share nothing', async () => {
  const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
  await queryDatabase(one.url, 'CREATE TABLE only_here (id int)');
  const found = "SELECT to_regclass('only_here') IS NOT NULL AS here, to_regclass('_prisma_migrations') IS NOT NULL AS migrated";
  expect(await queryDatabase(one.url, found)).toEqual([{ here: true, migrated: true }]);
  expect(await queryDatabase(other.url, found)).toEqual([{ here: false, migrated: true }]);
  await Promise.all([one.drop(), other.drop()]);
});

test('a dropped database is gone even while somebody is connected', async () => {
  const database = await freshDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await database.drop();
  await expect(queryDatabase(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
  await client.end().catch(() => undefined);
});

test('two test files never share a Redis', async () => {
  const [one, other] = await Promise.all([freshRedis(), freshRedis()]);
  expect(one.pid).not.toBe(other.pid);
  expect(one.port).not.toBe(other.port);
  await Promise.all([one.stop(), other.stop()]);
});
