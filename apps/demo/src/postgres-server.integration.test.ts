import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startPostgres as startDatabase, type LocalService } from '@portcullis/local-services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres } from './postgres-server.js';
import { prepareDemoDatabase } from './prepare-database.js';
import type { RunningServer } from './serve-loopback.js';

let directory: string;
let database: LocalService;
let postgres: RunningServer;
let client: Client;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-demo-'));
  database = await startDatabase({ directory, durable: false });
  postgres = await startPostgres(0, await prepareDemoDatabase(database.url, 'secret'));
  client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(postgres.url)));
});
afterAll(async () => {
  await client.close();
  await postgres.close();
  await database.stop();
  await rm(directory, { recursive: true, force: true });
});

const query = (sql: string) => client.callTool({ name: 'query', arguments: { sql } });

describe('postgres', () => {
  test('offers its two tools as reading ones', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['query', 'schema']);
    for (const tool of tools) expect(tool).toMatchObject({ title: expect.any(String), annotations: { readOnlyHint: true }, outputSchema: {} });
  });

  test('answers a query with rows in the order of their columns', async () => {
    const answer = await query('SELECT name, since FROM customers ORDER BY id LIMIT 1;');
    expect(answer.structuredContent).toEqual({ columns: ['name', 'since'], rows: [['Blue Harbour Coffee', '2023-02-14']], truncated: false });
  });

  test('gives at most 200 rows and says that there were more', async () => {
    const { structuredContent } = await query('SELECT n FROM generate_series(1, 201) AS n');
    expect(structuredContent).toMatchObject({ truncated: true });
    expect((structuredContent as { rows: unknown[] }).rows).toHaveLength(200);
  });

  test('names the tables and columns that can be queried', async () => {
    const { structuredContent } = await client.callTool({ name: 'schema', arguments: {} });
    expect(structuredContent).toMatchObject({ tables: [{ name: 'customers' }, { name: 'orders' }] });
    expect(JSON.stringify(structuredContent)).toContain('{"name":"amount","type":"numeric","nullable":false}');
  });

  test.each([
    ['a write', 'DELETE FROM orders', 'syntax error'],
    ['a write within a reading statement', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone', 'data-modifying'],
    ['a second statement', 'SELECT 1; COMMIT', 'multiple commands'],
    ['an end of the transaction', 'COMMIT', 'syntax error'],
    ['a file of the machine', "SELECT pg_read_file('/etc/passwd')", 'permission denied'],
    ['the passwords', 'SELECT rolpassword FROM pg_authid', 'permission denied'],
    ['what runs too long', "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)", 'timeout'],
    ['an answer too large', "SELECT repeat('x', 5000000)", 'larger than'],
  ])('refuses %s, as an error of the tool', async (_, sql, words) => {
    const answer = await query(sql);
    expect(answer.isError).toBe(true);
    expect(JSON.stringify(answer.content)).toContain(words);
  });

  test('nothing a query set is seen by the next', async () => {
    await query("SELECT set_config('search_path', 'nowhere', false), pg_advisory_lock(1)");
    expect((await query('SELECT count(*) FROM orders')).isError).toBeFalsy();
    expect((await query('SELECT pg_advisory_lock(1)')).isError).toBeFalsy();
  });

  test('more queries at once than it has connections are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (__, n) => query(`SELECT ${n}`)));
    expect(answers.map(({ structuredContent }) => (structuredContent as { rows: unknown[][] }).rows[0]?.[0])).toEqual(Array.from(answers.keys()));
  });

  test('serves a client of the older era as well', async () => {
    const legacy = new LegacyClient({ name: 'legacy', version: '1' });
    await legacy.connect(new LegacyTransport(new URL(postgres.url)));
    const answer = await legacy.callTool({ name: 'query', arguments: { sql: 'SELECT 1 AS one' } });
    expect(answer.structuredContent).toEqual({ columns: ['one'], rows: [[1]], truncated: false });
    await legacy.close();
  });
});
