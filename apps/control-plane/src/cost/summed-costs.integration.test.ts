import { openDatabase, type PrismaClient } from '@portcullis/database';
import { freshDatabase, type FreshDatabase } from '@portcullis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';
import { costDays, monthOf, pricesChanged } from './cost-days.js';
import { listCostedCalls, sumCosts, type CostKey, type CostRow } from './costs.repository.js';
import { foldCosts, forgetCosts } from './fold-costs.js';
import { readPrices, type CostFilter } from './priced-calls.js';
import { summedCosts } from './summed-costs.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const first = Date.UTC(2026, 8, 27);
const end = first + 9 * DAY_MS;

const anyTime = fc.integer({ min: first, max: end - 1 });
const agents = ['dev', 'ops'];
const servers = ['wiki', 'crm'];
const tools = ['read', 'write'];
const someCall = fc.record({
  at: anyTime.map((ms) => new Date(ms)),
  agent: fc.constantFrom(...agents),
  server: fc.constantFrom(...servers),
  tool: fc.constantFrom(...tools),
  status: fc.constantFrom('success', 'success', 'tool_error', 'timeout', 'denied', 'pending'),
  resultBytes: fc.integer({ min: 0, max: 5_000 }),
  units: fc.option(fc.record({ '/tokens': fc.integer({ min: 0, max: 9_000_000 }) }), { nil: undefined }),
});
const somePrice = fc.record({
  server: fc.constantFrom('*', ...servers),
  tool: fc.constantFrom('*', ...tools),
  basis: fc.constantFrom('call', 'byte', 'unit'),
  amountMicros: fc.bigInt({ min: 0n, max: 2_000_000n }),
  per: fc.constantFrom(1n, 3n, 1000n, 1_000_000n),
  currency: fc.constantFrom('EUR', 'USD'),
  effectiveFrom: fc.oneof(
    anyTime,
    anyTime.map((ms) => ms - (ms % DAY_MS)),
  ),
});
const someNames = fc.record(
  { agent: fc.constantFrom(...agents), server: fc.constantFrom(...servers), tool: fc.constantFrom(...tools) },
  { requiredKeys: [] },
);
/** Half of them begin or end on a whole hour. */
const somePeriod = fc
  .record({ one: anyTime, other: anyTime, whole: fc.boolean(), named: someNames })
  .map(({ one, other, whole, named }): CostFilter => {
    const [from, to] = [Math.min(one, other), Math.max(one, other) + 1];
    return { from: new Date(whole ? from - (from % DAY_MS) : from), to: new Date(whole ? to - (to % HOUR_MS) + HOUR_MS : to), ...named };
  });
const someStep = fc.oneof(
  fc.record({ store: fc.array(someCall, { minLength: 1, maxLength: 15 }) }),
  fc.record({ price: somePrice }),
  fc.record({ unprice: fc.nat() }),
  fc.record({ turns: fc.integer({ min: 1, max: 8 }) }),
);
type SomePrice = typeof somePrice extends fc.Arbitrary<infer Drawn> ? Drawn : never;
type Step = { store?: typeof kept; price?: SomePrice; unprice?: number; turns?: number };

let own: FreshDatabase;
let database: PrismaClient;
let store: StoreCalls;
const kept: (StoredCall & { readonly at: Date; readonly agent: string; readonly server: string; readonly tool: string })[] = [];

beforeAll(async () => {
  own = await freshDatabase();
  database = openDatabase(own.url);
  store = callStore(database);
});
afterAll(async () => {
  await database.$disconnect();
  await own.drop();
});

const fold = async (): Promise<boolean> => database.$transaction(foldCosts);
/** Until everything stored is in the sums of every day; other databases' transactions hold that up. */
async function foldAll(): Promise<void> {
  const [now] = await database.$queryRaw<[{ tx: bigint }]>`SELECT pg_current_xact_id()::text::bigint AS tx`;
  const done = async () => {
    while (await fold()) continue;
    expect((await database.costSumCursor.findUniqueOrThrow({ where: { id: 1 } })).storedTx > now.tx).toBe(true);
  };
  await vi.waitFor(done, { timeout: 30_000, interval: 50 });
}

async function take({ store: calls, price, unprice, turns = 0 }: Step): Promise<void> {
  if (calls !== undefined) await store(calls);
  kept.push(...(calls ?? []));
  for (let turn = 0; turn < turns; turn += 1) await fold();
  await database.$transaction(async (tx) => {
    const prices = await tx.price.findMany({ orderBy: { id: 'asc' } });
    if (price !== undefined) await setPrice(tx as PrismaClient, price);
    const gone = unprice === undefined ? undefined : prices[unprice % Math.max(1, prices.length)];
    if (gone === undefined) return;
    await tx.price.delete({ where: { id: gone.id } });
    await pricesChanged(tx, gone.effectiveFrom);
  });
}

async function setPrice(tx: PrismaClient, { effectiveFrom: ms, ...fields }: SomePrice): Promise<void> {
  const effectiveFrom = new Date(ms);
  const { count } = await tx.price.createMany({
    data: [{ ...fields, effectiveFrom, unit: fields.basis === 'unit' ? '/tokens' : null, createdBy: 'ann' }],
    skipDuplicates: true,
  });
  if (count > 0) await pricesChanged(tx, effectiveFrom);
}

/** Every total is the sum of all the rows that have its names, and there is no other. */
async function expectTotalsExact(): Promise<void> {
  const differing = await database.$queryRaw`
    SELECT per, unit, start, kept.calls, summed.calls AS summed FROM cost_total kept FULL JOIN (
      SELECT 'agent' AS per, unit, start, agent, '' AS server, '' AS tool, currency, sum(calls) AS calls, sum(micros) AS micros FROM cost_sum GROUP BY 1, 2, 3, 4, 5, 6, 7
      UNION ALL
      SELECT 'tool', unit, start, '', server, tool, currency, sum(calls), sum(micros) FROM cost_sum GROUP BY 1, 2, 3, 4, 5, 6, 7
    ) summed USING (per, unit, start, agent, server, tool, currency) WHERE (kept.calls, kept.micros) IS DISTINCT FROM (summed.calls, summed.micros)`;
  expect(differing).toEqual([]);
}

/** What each call costs, worked out one by one. */
async function byHand({ from, to, ...names }: CostFilter): Promise<{ call: (typeof kept)[number]; currency: string; micros: bigint }[]> {
  const prices = await database.price.findMany();
  const rank = (price: (typeof prices)[number]) => [price.server, price.tool].map((name) => Number(name !== '*'));
  const speaks = (one: (typeof prices)[number], other: (typeof prices)[number]) => {
    const [a, b] = [rank(one), rank(other)];
    return (b[0] ?? 0) - (a[0] ?? 0) || (b[1] ?? 0) - (a[1] ?? 0) || other.effectiveFrom.getTime() - one.effectiveFrom.getTime();
  };
  return kept.flatMap((call) => {
    if (call.at < from || call.at >= to || !['success', 'tool_error'].includes(call.status ?? '')) return [];
    if ((['agent', 'server', 'tool'] as const).some((name) => (names[name] ?? call[name]) !== call[name])) return [];
    const matching = prices.filter((price) => ['*', call.server].includes(price.server) && ['*', call.tool].includes(price.tool));
    const [price] = matching.filter(({ effectiveFrom }) => effectiveFrom <= call.at).toSorted(speaks);
    if (price === undefined) return [];
    const { basis, amountMicros, per, currency } = price;
    const times = basis === 'byte' ? BigInt(call.resultBytes ?? 0) : BigInt(call.units?.['/tokens'] ?? 0);
    const by = basis === 'byte' ? per : per * 1_000_000n;
    return [{ call, currency, micros: basis === 'call' ? amountMicros : (2n * amountMicros * times + by) / (2n * by) }];
  });
}

const keyOf: Readonly<Record<CostKey, (call: (typeof kept)[number]) => string>> = {
  agent: ({ agent }) => agent,
  server: ({ server }) => server,
  tool: ({ tool }) => tool,
  day: ({ at }) => at.toISOString().slice(0, 10),
  month: ({ at }) => monthOf(at),
};

/** `key currency` → calls and millionths. */
function total(costs: readonly { readonly key: string; readonly calls: number; readonly micros: bigint }[]): object {
  const sums = new Map<string, [number, bigint]>();
  for (const { key, calls, micros } of costs) {
    const [before, sum] = sums.get(key) ?? [0, 0n];
    sums.set(key, [before + calls, sum + micros]);
  }
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function reported(period: CostFilter, by: CostKey): Promise<object> {
  const { rows, rest, prices } = await database.$transaction((tx) => summedCosts(tx, period, [by]), { isolationLevel: 'RepeatableRead' });
  const all: CostRow[] = [...rows];
  for (const part of rest) all.push(...(await sumCosts(database, prices, part, [by])));
  return total(all.map((row) => ({ key: `${row[by]} ${row.currency}`, calls: row.calls, micros: BigInt(row.micros) })));
}

async function expectSame(period: CostFilter, by: CostKey): Promise<void> {
  const costs = await byHand(period);
  expect(await reported(period, by)).toEqual(
    total(costs.map(({ call, currency, micros }) => ({ key: `${keyOf[by](call)} ${currency}`, calls: 1, micros }))),
  );
  const { rows } = await listCostedCalls(database, await readPrices(database), period, { before: undefined, limit: 5_000 });
  const one = (currency: string, micros: bigint) => ({ key: currency, calls: 1, micros });
  expect(total(rows.map(({ currency, micros }) => one(currency, BigInt(micros))))).toEqual(
    total(costs.map(({ currency, micros }) => one(currency, micros))),
  );
}

const everything = { from: new Date(first), to: new Date(end) };
const anyKey = fc.constantFrom<CostKey>('agent', 'server', 'tool', 'day', 'month');

test(
  'whatever calls, late ones too, and whatever changes of prices: reports are the exact sum of their calls, summed or not yet',
  { timeout: 120_000 },
  async () => {
    await take({ store: fc.sample(someCall, { numRuns: 150, seed: 1 }) });
    for (const price of fc.sample(somePrice, { numRuns: 3, seed: 2 })) await take({ price });
    const asked = fc.asyncProperty(fc.array(someStep, { minLength: 1, maxLength: 4 }), somePeriod, anyKey, async (steps, period, by) => {
      for (const step of steps) await take(step);
      await expectTotalsExact();
      await expectSame(period, by);
    });
    await fc.assert(asked, { numRuns: 20, endOnFailure: true });
    await foldAll();
    const { rest } = await database.$transaction((tx) => summedCosts(tx, everything, ['agent']), { isolationLevel: 'RepeatableRead' });
    // The first price may begin within an hour.
    expect(rest.filter(({ from, to }) => to.getTime() - from.getTime() >= HOUR_MS)).toEqual([]);
    for (const by of ['agent', 'server', 'tool', 'day', 'month'] as const) await expectSame(everything, by);
  },
);

test('what agents have spent in a month is what reports of it say, when all of it is in the sums', async () => {
  await take({ price: { server: '*', tool: '*', basis: 'call', amountMicros: 7n, per: 1n, currency: 'EUR', effectiveFrom: first } });
  await take({ store: fc.sample(someCall, { numRuns: 40, seed: 3 }) });
  await foldAll();
  await take({ store: fc.sample(someCall, { numRuns: 40, seed: 4 }) });
  await foldAll();
  const spent = await database.costSpent.findMany({ where: { micros: { gt: 0 } } });
  const costs = await byHand(everything);
  const expected = total(
    costs
      .map(({ call, currency, micros }) => ({ key: `${monthOf(call.at)} ${call.agent} ${currency}`, calls: 0, micros }))
      .filter(({ micros }) => micros > 0n),
  );
  expect(
    total(spent.map(({ month, agent, currency, micros }) => ({ key: `${month} ${agent} ${currency}`, calls: 0, micros: BigInt(micros.toFixed(0)) }))),
  ).toEqual(expected);
});

test('two control planes that sum at once, and a database that was restored, count each call once', { timeout: 60_000 }, async () => {
  const other = openDatabase(own.url);
  for (let round = 0; round < 4; round += 1) {
    await take({ store: fc.sample(someCall, { numRuns: 10, seed: 10 + round }) });
    await Promise.all([database, other].map((one) => one.$transaction(foldCosts)));
  }
  await other.$disconnect();
  await foldAll();
  await expectSame(everything, 'agent');
  const days = await database.costSumDay.count();
  await database.costSumCursor.update({ where: { id: 1 }, data: { storedTx: 1n << 40n } });
  await foldAll();
  expect(await database.costSumDay.count()).toBe(days);
  await expectSame(everything, 'tool');
});

test('a change of prices touches the sums of no day before it, and a day that is dropped is in none', async () => {
  const day = first + 4 * DAY_MS;
  await take({ price: { server: 'wiki', tool: 'read', basis: 'call', amountMicros: 1n, per: 1n, currency: 'EUR', effectiveFrom: day + HOUR_MS } });
  const summed = async (yes: boolean) => (await costDays(database)).filter((known) => known.summed === yes).map(({ start }) => start.getTime());
  expect(Math.max(...(await summed(true)))).toBe(day - DAY_MS);
  expect(Math.min(...(await summed(false)))).toBe(day);
  await foldAll();
  expect(await summed(false)).toEqual([]);
  await database.$transaction((tx) => forgetCosts(tx, new Date(day).toISOString().slice(0, 10)));
  expect(await database.costSum.count({ where: { start: { gte: new Date(day), lt: new Date(day + DAY_MS) } } })).toBe(0);
  expect(await summed(false)).toEqual([day]);
  await expectTotalsExact();
});
