import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { testServices } from './test-services.js';

/** A migrated database that only one test file uses. */
export interface FreshDatabase {
  readonly url: string;
  /** Ends whatever is still connected to it. */
  drop(): Promise<void>;
}

/** Copies the migrated template into a database of the caller's own; it takes tens of milliseconds. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { postgresUrl, templateDatabase } = testServices();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onPostgres(postgresUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase} STRATEGY file_copy`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onPostgres(postgresUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onPostgres(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
