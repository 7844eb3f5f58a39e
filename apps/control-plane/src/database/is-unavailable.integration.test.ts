import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { freshDatabase, type FreshDatabase, queryDatabase } from '@portcullis/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { isUnavailable } from './is-unavailable.js';

let own: FreshDatabase;
beforeAll(async () => {
  own = await freshDatabase();
});
afterAll(() => own.drop());

test('a database whose connections are all taken counts as unavailable', async () => {
  const database = openDatabase(own.url, 1, 100);
  // The one connection is opened first: on a busy machine that alone may take longer than this is patient.
  await vi.waitFor(() => database.agent.count(), 20_000);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const holding = database.$transaction(async (tx) => {
    await tx.agent.count();
    begin();
    await ended;
  });
  await begun;
  for (const work of [() => database.agent.count(), () => database.$transaction(async (tx) => tx.agent.count())]) {
    const error: unknown = await work().catch((reason: unknown) => reason);
    expect(isUnavailable(error), String(error)).toBe(true);
  }
  end();
  await holding;
  await database.$disconnect();
});

/** What becomes of connections when Postgres dies or is killed: they are closed, or reset. */
const deaths: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['closed', (socket) => socket.destroy()],
  ['reset', (socket) => socket.resetAndDestroy()],
];

describe.each(deaths)('a database whose connections are %s in the middle counts as unavailable', (_, end) => {
  let way: Awaited<ReturnType<typeof wayTo>>;
  beforeEach(async () => {
    way = await wayTo(own.url, end);
  });
  afterEach(() => way.close());

  test.each<[string, (database: PrismaClient) => Promise<unknown>]>([
    ['a statement', (database) => database.$queryRaw`SELECT pg_sleep(60)::text`],
    ['a transaction', (database) => database.$transaction(async (tx) => tx.$queryRaw`SELECT pg_sleep(60)::text`)],
    ['a batch', (database) => database.$transaction([database.$queryRaw`SELECT pg_sleep(60)::text`])],
  ])('of %s', async (__, work) => {
    const database = openDatabase(way.url, 1);
    const failing = work(database).catch((reason: unknown) => reason);
    await vi.waitFor(async () => expect(await sleepers()).toHaveLength(1), 20_000);
    await way.end();
    const error: unknown = await failing;
    expect(isUnavailable(error), String(error)).toBe(true);
    await queryDatabase(own.url, 'SELECT pg_terminate_backend(pid)::text FROM unnest($1::int[]) AS pid', [await sleepers()]);
    await vi.waitFor(async () => expect(await sleepers()).toHaveLength(0), 20_000);
    await database.$disconnect();
  });

  test('of a transaction that does nothing at the moment', async () => {
    const database = openDatabase(way.url, 1);
    const working = database.$transaction(async (tx) => {
      await tx.agent.count();
      await way.end();
      await tx.agent.count();
    });
    const error: unknown = await working.catch((reason: unknown) => reason);
    expect(isUnavailable(error), String(error)).toBe(true);
    await database.$disconnect();
  });
});

test.each(['08006', '53100', '53200', '53300', '57P01', '57P02', '57P03', '58030'])(
  'a database that answers %s counts as unavailable',
  async (code) => {
    const error = await refusedWith(code);
    expect(isUnavailable(error), String(error)).toBe(true);
  },
);

test.each(['22023', '23514', '42501', '57014', 'P0001'])('a database that answers %s does not: asking again would change nothing', async (code) => {
  const error = await refusedWith(code);
  expect(isUnavailable(error), String(error)).toBe(false);
});

/** The error that a statement comes back with when Postgres answers it with this code. */
async function refusedWith(code: string): Promise<unknown> {
  const database = openDatabase(own.url, 1);
  try {
    return await database
      .$executeRawUnsafe(`DO $$ BEGIN RAISE EXCEPTION 'no, though not for 57P01' USING ERRCODE = '${code}'; END $$`)
      .catch((reason: unknown) => reason);
  } finally {
    await database.$disconnect();
  }
}

async function sleepers(): Promise<number[]> {
  const asleep = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  return (await queryDatabase<{ pid: number }>(own.url, asleep)).map(({ pid }) => pid);
}

/** A way to the database whose connections can be ended. */
async function wayTo(url: string, end: (socket: Socket) => void): Promise<{ url: string; end(): Promise<void>; close(): void }> {
  const { port, hostname } = new URL(url);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.once('close', () => {
      open.delete(near);
      far.destroy();
    });
    open.add(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const endAll = async (): Promise<void> => {
    const ended = [...open].map((socket) => once(socket, 'close'));
    for (const socket of open) end(socket);
    await Promise.all(ended);
  };
  const address = Object.assign(new URL(url), { hostname: '127.0.0.1', port: String((server.address() as AddressInfo).port) });
  return { url: address.href, end: endAll, close: () => void server.close() };
}
