import { randomBytes } from 'node:crypto';
import { Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { readAdminDatabase } from './config.js';
import { demoTables } from './demo-tables.js';
import { scramVerifier } from './scram-verifier.js';

const role = 'demo_reader';
const database = 'demo';
// Any number will do, as long as two preparations at a time agree on it.
const advisoryLock = 0x64656d6f;

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function exists(client: Client, sql: string, name: string): Promise<boolean> {
  return (await client.query(sql, [name])).rows.length > 0;
}

async function prepareRole(admin: Client, password: string): Promise<void> {
  if (!(await exists(admin, 'SELECT 1 FROM pg_roles WHERE rolname = $1', role))) await admin.query(`CREATE ROLE ${role}`);
  const attributes = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 8';
  await admin.query(`ALTER ROLE ${role} WITH ${attributes} PASSWORD ${escapeLiteral(scramVerifier(password))}`);
  await admin.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
  await admin.query(`ALTER ROLE ${role} SET statement_timeout = '5s'`);
}

/** Takes from everybody the right to connect that Postgres gives to everybody, and gives it back by name to the roles that exist. */
async function closeToStrangers(admin: Client, name: string): Promise<void> {
  const target = escapeIdentifier(name);
  const { rows } = await admin.query<{ rolname: string }>(
    `SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> $1 AND has_database_privilege(oid, $2, 'CONNECT')`,
    [role, name],
  );
  for (const { rolname } of rows) await admin.query(`GRANT CONNECT ON DATABASE ${target} TO ${escapeIdentifier(rolname)}`);
  await admin.query(`REVOKE CONNECT ON DATABASE ${target} FROM PUBLIC, ${role}`);
}

async function closeOtherDatabases(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname <> $1', [database]);
  for (const { datname } of rows) {
    try {
      await closeToStrangers(admin, datname);
      const open = await exists(admin, `SELECT 1 WHERE has_database_privilege('${role}', $1, 'CONNECT')`, datname);
      if (open) throw new Error(`${role} can still connect to the database ${datname}: only its owner or a superuser can take that right away`);
    } catch (error) {
      // Dropped by somebody since it was listed: nothing is left to close.
      if (!(error instanceof DatabaseError && error.code === '3D000')) throw error;
    }
  }
}

async function fillDatabase(demo: Client): Promise<void> {
  await demo.query(demoTables);
  await demo.query(`
    REVOKE ALL ON SCHEMA public FROM PUBLIC, ${role};
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ${role};
    GRANT USAGE ON SCHEMA public TO ${role};
    GRANT SELECT ON customers, orders TO ${role};
  `);
}

function at(url: string, change: { database: string; role?: string; password?: string }): string {
  const changed = new URL(url);
  changed.pathname = `/${change.database}`;
  if (change.role !== undefined) changed.username = change.role;
  if (change.password !== undefined) changed.password = encodeURIComponent(change.password);
  return changed.href;
}

/**
 * Makes the demo's own database `demo` and a role that can read its two tables and connect to nothing else, and gives the
 * URL for that role. Safe to repeat; run it again after databases were added, since Postgres opens new ones to everybody.
 * Refuses when a database of this Postgres stays open to the role.
 */
export async function prepareDemoDatabase(adminUrl: string, password: string): Promise<string> {
  await withClient(adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    await prepareRole(admin, password);
    if (!(await exists(admin, 'SELECT 1 FROM pg_database WHERE datname = $1', database))) await admin.query(`CREATE DATABASE ${database}`);
    await closeOtherDatabases(admin);
    await admin.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${role}`);
    await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
    await withClient(at(adminUrl, { database }), fillDatabase);
  });
  return at(adminUrl, { database, role, password });
}

if (import.meta.main) {
  const { adminUrl, password } = readAdminDatabase();
  console.log(await prepareDemoDatabase(adminUrl, password ?? randomBytes(24).toString('base64url')));
}
