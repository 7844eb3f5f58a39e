import { McpServer, type CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { modernEndpoint } from './modern-endpoint.js';
import { openReadOnly, type ReadOnlyDatabase } from './read-only-query.js';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

const reading = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const query = {
  title: 'Query',
  description: 'Runs one reading SQL statement (SELECT, WITH, VALUES or TABLE) for at most 5 seconds and answers with at most 200 rows.',
  inputSchema: z.object({ sql: z.string().min(1).max(20_000).describe('One statement, for example: SELECT name FROM customers ORDER BY name') }),
  outputSchema: z.object({
    columns: z.array(z.string()),
    rows: z.array(z.array(z.unknown())).describe('Each row in the order of columns'),
    truncated: z.boolean().describe('There were more rows than are given'),
  }),
  annotations: reading,
};

const column = z.object({ name: z.string(), type: z.string(), nullable: z.boolean() });

const schema = {
  title: 'Schema',
  description: 'Lists the tables that can be queried, with their columns.',
  inputSchema: z.object({}),
  outputSchema: z.object({ tables: z.array(z.object({ name: z.string(), columns: z.array(column) })) }),
  annotations: reading,
};

const columnsSql = `
  SELECT table_name, column_name, data_type, is_nullable = 'YES'
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`;

function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

async function tablesOf(database: ReadOnlyDatabase): Promise<{ name: string; columns: z.infer<typeof column>[] }[]> {
  const tables = new Map<string, z.infer<typeof column>[]>();
  for (const [table, name, type, nullable] of (await database.query(columnsSql)).rows) {
    const columns = tables.get(String(table)) ?? [];
    columns.push({ name: String(name), type: String(type), nullable: nullable === true });
    tables.set(String(table), columns);
  }
  return [...tables].map(([name, columns]) => ({ name, columns }));
}

function buildServer(database: ReadOnlyDatabase): McpServer {
  const server = new McpServer({ name: 'postgres', title: 'Postgres (demo)', version: '0.1.0' });
  // A statement Postgres refuses throws; the SDK answers it as an error of the tool, with Postgres' words.
  server.registerTool('query', query, async ({ sql }) => structured({ ...(await database.query(sql)) }));
  server.registerTool('schema', schema, async () => structured({ tables: await tablesOf(database) }));
  return server;
}

/** The demo's `postgres`: both protocol eras, without sessions. It can only read, and only what its role was granted. */
export async function startPostgres(port: number, databaseUrl: string): Promise<RunningServer> {
  const database = openReadOnly(databaseUrl);
  const server = await serveLoopback(
    modernEndpoint(() => buildServer(database), 'stateless'),
    port,
  );
  return {
    url: server.url,
    async close() {
      await server.close();
      await database.close();
    },
  };
}
