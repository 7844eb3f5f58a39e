import { openDatabase, type PrismaClient } from '@portcullis/database';
import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';
import { useDatabase } from '../testing/use-database.js';
import { bucketMs } from './call-rows.js';
import { foldCalls, forgetSums } from './fold-calls.js';
import { aggregateCalls, pairsOf, type AggregateRow, type PairRow } from './reports.repository.js';
import type { Period } from './summed-calls.js';

const HOUR_MS = 3_600_000;
const first = Date.UTC(2026, 9, 1);
const statuses = ['success', 'success', 'success', 'denied', 'tool_error', 'timeout', 'pending'];
const agents = ['dev', 'ops', 'bot'];
const servers = ['wiki', 'crm'];
const tools = ['read', 'write', 'drop'];

const someCall = fc.record({
  at: fc.integer({ min: 0, max: 40 * 24 * HOUR_MS }).map((ms) => new Date(first + ms)),
  agent: fc.constantFrom(...agents),
  server: fc.constantFrom(...servers),
  tool: fc.constantFrom(...tools),
  status: fc.constantFrom(...statuses),
  ms: fc.integer({ min: 1, max: 600_000 }),
});
/** Half of them begin or end on a whole hour. */
const somePeriod = fc
  .record({
    start: fc.integer({ min: 0, max: 39 * 24 * HOUR_MS }),
    length: fc.oneof(fc.integer({ min: 1, max: 3 * HOUR_MS }), fc.integer({ min: 1, max: 31 * 24 * HOUR_MS })),
    whole: fc.boolean(),
    agent: fc.option(fc.constantFrom(...agents), { nil: undefined }),
    server: fc.option(fc.constantFrom(...servers), { nil: undefined }),
    tool: fc.option(fc.constantFrom(...tools), { nil: undefined }),
  })
  .map(({ start, length, whole, ...named }): Period => {
    const from = first + (whole ? start - (start % HOUR_MS) : start);
    return { from: new Date(from), to: new Date(from + (whole ? Math.ceil(length / HOUR_MS) * HOUR_MS : length)), ...named };
  });

const own = useDatabase();
let database: PrismaClient;
let store: StoreCalls;
const kept: Required<Pick<StoredCall, 'at' | 'agent' | 'server' | 'tool' | 'status' | 'ms'>>[] = [];

beforeAll(() => {
  ({ database } = own);
  store = callStore(database);
});

async function keep(calls: typeof kept): Promise<void> {
  await store(calls);
  kept.push(...calls);
}
/** Until everything stored is in the sums; other databases' transactions hold that up. */
async function foldAll(): Promise<void> {
  const [now] = await database.$queryRaw<[{ tx: bigint }]>`SELECT pg_current_xact_id()::text::bigint AS tx`;
  const done = async () => {
    while (await database.$transaction(foldCalls)) continue;
    expect((await database.callSumCursor.findUniqueOrThrow({ where: { id: 1 } })).storedTx > now.tx).toBe(true);
  };
  await vi.waitFor(done, { timeout: 30_000, interval: 50 });
}
const within = (period: Period) => (call: (typeof kept)[number]) =>
  call.at >= period.from &&
  call.at < period.to &&
  (['agent', 'server', 'tool'] as const).every((name) => period[name] === undefined || period[name] === call[name]);

const startOf = (at: Date, ms: number): string => new Date(at.getTime() - (at.getTime() % ms)).toISOString();
const keysOf = {
  agent: ({ agent }: StoredCall) => agent,
  server: ({ server }: StoredCall) => server,
  tool: ({ server, tool }: StoredCall) => `${server}:${tool}`,
  hour: ({ at = new Date() }: StoredCall) => startOf(at, HOUR_MS),
  day: ({ at = new Date() }: StoredCall) => startOf(at, 24 * HOUR_MS),
};
type By = keyof typeof keysOf;

function byHand(period: Period, by: By) {
  const groups = Object.entries(Object.groupBy(kept.filter(within(period)), (call) => String(keysOf[by](call))));
  return groups.map(([key, calls = []]) => {
    const count = (...wanted: string[]) => calls.filter(({ status }) => wanted.includes(status)).length;
    const durations = calls.filter(({ status }) => !['denied', 'pending'].includes(status)).map(({ ms }) => ms);
    durations.sort((a, b) => a - b);
    const latencies = durations.length === 0 ? null : [0.5, 0.95, 0.99].map((part) => durations[Math.ceil(part * durations.length) - 1]);
    return { key, calls: calls.length, errors: count('tool_error', 'timeout'), denials: count('denied'), open: count('pending'), latencies };
  });
}

const keyOfRow = ({ agent, server, tool, at }: AggregateRow): string =>
  at?.toISOString() ?? agent ?? (tool === undefined ? String(server) : `${server}:${tool}`);

async function expectSame(period: Period, by: By): Promise<void> {
  const rows = await database.$transaction((tx) => aggregateCalls(tx, period, { by, limit: 1000 }));
  const expected = byHand(period, by);
  const counts = (of: object[]) =>
    of.map((row) => ({ ...row, latencies: undefined })).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const found = rows.map((row) => {
    const { calls, errors, denials, open, latencies } = row;
    return { key: keyOfRow(row), calls, errors, denials, open, latencies: latencies?.map(bucketMs) ?? null };
  });
  expect(counts(found)).toEqual(counts(expected));
  for (const { key, latencies } of expected) {
    const said = found.find((row) => row.key === key)?.latencies ?? null;
    expect(said === null).toBe(latencies === null);
    for (const [index, ms = 0] of latencies?.entries() ?? []) expect(Math.abs((said?.[index] ?? 0) - ms) / ms).toBeLessThan(0.05);
  }
}

async function expectSamePairs(period: Period): Promise<void> {
  const rows = await database.$transaction((tx) => pairsOf(tx, period, { onlyNew: false, limit: 1000 }));
  const pair = ({ agent, server, tool }: Pick<PairRow, 'agent' | 'server' | 'tool'>) => `${agent} ${server} ${tool}`;
  const before = { ...period, from: new Date(period.from.getTime() - 30 * 24 * HOUR_MS), to: period.from };
  const known = new Set(kept.filter(within(before)).map(pair));
  const groups = Object.entries(Object.groupBy(kept.filter(within(period)), pair));
  const expected = groups.map(([key, calls = []]) => {
    const times = calls.map(({ at }) => at.getTime());
    const [denials, firstAt, lastAt] = [calls.filter(({ status }) => status === 'denied').length, Math.min(...times), Math.max(...times)];
    return { key, calls: calls.length, denials, firstAt, lastAt, isNew: !known.has(key) };
  });
  const found = rows.map((row) => {
    const { calls, denials, first_at: firstAt, last_at: lastAt, is_new: isNew } = row;
    return { key: pair(row), calls, denials, firstAt: firstAt.getTime(), lastAt: lastAt.getTime(), isNew };
  });
  const sorted = (of: typeof found) => of.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  expect(sorted(found)).toEqual(sorted(expected));
}

test(
  'whatever the period, reports say what counting the calls one by one says, summed or not yet, and late rows too',
  { timeout: 120_000 },
  async () => {
    const draw = (count: number, seed: number) => fc.sample(someCall, { numRuns: count, seed });
    await keep(draw(1500, 1));
    await foldAll();
    await keep(draw(300, 2));
    await foldAll();
    await keep(draw(200, 3)); // not in the sums
    expect(await database.callSum.aggregate({ where: { unit: 'day', per: 'all' }, _sum: { began: true } })).toEqual({ _sum: { began: 1800n } });
    const asked = fc.asyncProperty(somePeriod, fc.constantFrom<By>('agent', 'server', 'tool', 'hour', 'day'), async (period, by) => {
      await expectSame(period, by);
      await expectSamePairs(period);
    });
    await fc.assert(asked, { numRuns: 80 });
  },
);

test('two control planes that sum at once count each row once', { timeout: 60_000 }, async () => {
  const other = openDatabase(own.url);
  const twice = () => Promise.all([database, other].map((one) => one.$transaction(foldCalls)));
  for (let round = 0; round < 5; round += 1) {
    await keep(fc.sample(someCall, { numRuns: 20, seed: 10 + round }));
    await twice();
  }
  await foldAll();
  await twice();
  await other.$disconnect();
  const sums = await database.callSum.groupBy({ by: ['unit', 'per'], _sum: { began: true } });
  expect(sums.map(({ _sum }) => _sum.began)).toEqual(Array.from({ length: 8 }, () => BigInt(kept.length)));
});

test('a joined row keeps every call, however many its buckets are', async () => {
  const calls = Array.from({ length: 700 }, (_, index) => ({
    ...fc.sample(someCall, { numRuns: 1, seed: 99 })[0],
    ms: index * 37 + 1,
    status: 'success',
  }));
  for (let at = 0; at < calls.length; at += 100) {
    await keep(calls.slice(at, at + 100).map((call) => ({ agent: 'dev', server: 'wiki', tool: 'read', ...call, at: call.at ?? new Date(first) })));
    await foldAll();
  }
  for (const by of ['agent', 'day', 'hour'] as const) await expectSame({ from: new Date(first), to: new Date(first + 31 * 24 * HOUR_MS) }, by);
  const rows = await database.callSum.findMany({ select: { latencies: true } });
  expect(Math.max(...rows.map(({ latencies }) => latencies.length))).toBeLessThanOrEqual(256);
});

test('sums of another database, such as the one before a restore, are forgotten and made anew', async () => {
  await database.callSumCursor.update({ where: { id: 1 }, data: { storedTx: 1n << 40n } });
  await foldAll();
  const { _sum } = await database.callSum.aggregate({ where: { unit: 'hour', per: 'pair' }, _sum: { began: true } });
  expect(_sum.began).toBe(BigInt(kept.length));
});

test('a day that is dropped is in no report', async () => {
  const day = new Date(first + 3 * 24 * HOUR_MS);
  await database.$transaction((tx) => forgetSums(tx, day.toISOString().slice(0, 10)));
  const end = new Date(day.getTime() + 24 * HOUR_MS);
  expect(await database.callSum.count({ where: { start: { gte: day, lt: end } } })).toBe(0);
  expect(await database.callSum.count({ where: { start: end } })).toBeGreaterThan(0);
});
