import { Client } from 'pg';

/** The rows that one statement gives, over a connection of its own. */
export async function queryDatabase<Row extends object>(url: string, statement: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement, [...values])).rows;
  } finally {
    await client.end();
  }
}
