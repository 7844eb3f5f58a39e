import type { Duplex } from 'node:stream';
import { Pool, types, type PoolClient } from 'pg';

const rowsMax = 200;
const answerBytesMax = 4 * 1024 * 1024;
const statementTimeoutMs = 5_000;
const textOids: number[] = [types.builtins.DATE, types.builtins.TIMESTAMP, types.builtins.TIMESTAMPTZ];

/** Rows in the order of `columns`; `truncated` when the statement had more rows than are given. */
export interface Rows {
  columns: string[];
  rows: unknown[][];
  truncated: boolean;
}

/** A database that can be read and nothing else. */
export interface ReadOnlyDatabase {
  /** Runs one SELECT, WITH, VALUES or TABLE statement; anything else, and more than one, is refused by Postgres. */
  query(sql: string): Promise<Rows>;
  close(): Promise<void>;
}

/** Postgres' own spelling of dates and times, which a JavaScript Date would move between time zones. */
const asPostgresSpells = {
  getTypeParser: ((oid: number, format?: 'text') =>
    textOids.includes(oid) ? String : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
};

/** Cuts the connection when an answer grows too large, long before it would fill this process' memory. */
function limitAnswer(client: PoolClient): void {
  // pg does not publish its connection, and offers no limit of its own.
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > answerBytesMax) stream.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`));
  });
}

async function read(client: PoolClient, sql: string): Promise<Rows> {
  await client.query('BEGIN READ ONLY');
  // A cursor takes one reading statement only. The extended protocol refuses a second statement, which could end the transaction.
  const declare = { text: `DECLARE answer NO SCROLL CURSOR FOR ${sql}`, queryMode: 'extended' };
  await client.query(declare);
  const fetched = await client.query<unknown[]>({ text: `FETCH ${rowsMax + 1} FROM answer`, rowMode: 'array' });
  const columns = fetched.fields.map(({ name }) => name);
  return { columns, rows: fetched.rows.slice(0, rowsMax), truncated: fetched.rows.length > rowsMax };
}

/** Opens a few connections at most. Each serves one query and is closed, so nothing a query set or locked outlives it. */
export function openReadOnly(url: string): ReadOnlyDatabase {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    types: asPostgresSpells,
  });
  return {
    async query(sql) {
      const client = await pool.connect();
      // Without a listener a connection cut by limitAnswer would end the process; the query itself reports the error.
      client.on('error', () => {});
      limitAnswer(client);
      try {
        return await read(client, sql);
      } finally {
        client.release(true);
      }
    },
    close: () => pool.end(),
  };
}
