import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type LocalService } from '@portcullis/local-services';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareDemoDatabase } from './prepare-database.js';

// A Postgres of its own: the preparation concerns every database of it.
let directory: string;
let service: LocalService;
let demoUrl: string;

const password = 'p@ss/w:rd? %41';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-demo-'));
  service = await startPostgres({ directory, durable: false });
  await asOn(service.url, "CREATE ROLE neighbour LOGIN PASSWORD 'neighbour'");
  demoUrl = await prepareDemoDatabase(service.url, password);
});
afterAll(async () => {
  await service.stop();
  await rm(directory, { recursive: true, force: true });
});

async function asOn(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

function asNeighbour(): string {
  const changed = new URL(service.url);
  changed.username = changed.password = 'neighbour';
  return changed.href;
}

describe('the role of the demo database', () => {
  test('reads the seeded tables', async () => {
    const rows = await asOn(
      demoUrl,
      'SELECT c.name, count(*)::int AS orders FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toHaveLength(4);
  });

  test('can connect to no other database of this Postgres', async () => {
    const names = await asOn(service.url, "SELECT datname FROM pg_database WHERE datname <> 'demo'");
    expect(names.length).toBeGreaterThanOrEqual(4);
    for (const { datname } of names as { datname: string }[]) {
      await expect(asOn(inDatabase(demoUrl, datname), 'SELECT 1')).rejects.toThrow(/permission denied|not currently accepting connections/);
    }
  });

  test('can write nothing, even when it turns read-only off', async () => {
    const statements = ['DELETE FROM orders', 'CREATE TABLE mine ()', 'CREATE TEMPORARY TABLE mine ()', 'CREATE SCHEMA mine', 'CREATE DATABASE mine'];
    for (const statement of statements) {
      await expect(asOn(demoUrl, `SET default_transaction_read_only = off; COMMIT; ${statement}`)).rejects.toThrow(
        /permission denied|cannot run inside/,
      );
    }
    const [attributes] = await asOn(
      service.url,
      "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = 'demo_reader'",
    );
    expect(attributes).toEqual({ rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolbypassrls: false });
  });
});

describe('preparing again', () => {
  test('keeps rows, closes databases added since, and changes the password', async () => {
    await asOn(inDatabase(service.url, 'demo'), "INSERT INTO customers VALUES (99, 'Added later', 'DE', '2026-01-01')");
    await asOn(service.url, 'CREATE DATABASE added_later');
    const again = await prepareDemoDatabase(service.url, 'another password');
    await expect(asOn(demoUrl, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect(await asOn(again, 'SELECT count(*)::int AS n FROM customers')).toEqual([{ n: 5 }]);
    await expect(asOn(inDatabase(again, 'added_later'), 'SELECT 1')).rejects.toThrow('permission denied');
    demoUrl = await prepareDemoDatabase(service.url, password);
  });

  test('twice at once succeeds twice', async () => {
    const urls = await Promise.all([prepareDemoDatabase(service.url, password), prepareDemoDatabase(service.url, password)]);
    expect(await asOn(urls[0], 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('leaves other roles of this Postgres their databases, but not the demo', async () => {
    expect(await asOn(asNeighbour(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(asOn(inDatabase(asNeighbour(), 'demo'), 'SELECT 1')).rejects.toThrow('permission denied');
  });

  test('refuses when the role would keep a way into another database', async () => {
    await asOn(service.url, 'CREATE ROLE insiders; GRANT insiders TO demo_reader; GRANT CONNECT ON DATABASE postgres TO insiders');
    await expect(prepareDemoDatabase(service.url, password)).rejects.toThrow('can still connect to the database postgres');
    await asOn(service.url, 'REVOKE insiders FROM demo_reader');
  });

  test('the password never reaches the log of Postgres', async () => {
    await asOn(service.url, "ALTER SYSTEM SET log_statement = 'all'");
    await asOn(service.url, 'SELECT pg_reload_conf()');
    await prepareDemoDatabase(service.url, 'only-in-this-test');
    const log = await readFile(join(directory, 'server.log'), 'utf8');
    expect(log).toContain('ALTER ROLE demo_reader');
    expect(log).not.toContain('only-in-this-test');
    demoUrl = await prepareDemoDatabase(service.url, password);
  });
});
