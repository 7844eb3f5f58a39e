import { Client } from 'pg';

/** The rows that one statement gives, over a connection of its own. */
export async function queryDatabase<Row extends object>(url: string, statement: string, values: readonly unknown[] = []): Promise<Row[]> {
  return onConnection(url, async (client) => (await client.query<Row>(statement, [...values])).rows);
}

/** The same as somebody who gets around what keeps the trail as it is: a superuser whose statements no trigger sees. Says how many rows it changed. */
export async function tamperWith(url: string, statement: string, values: readonly unknown[] = []): Promise<number> {
  return onConnection(url, async (client) => {
    await client.query('SET session_replication_role = replica');
    return (await client.query(statement, [...values])).rowCount ?? 0;
  });
}

async function onConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
