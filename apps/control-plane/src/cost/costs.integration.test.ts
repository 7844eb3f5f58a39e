import type { CostedCall, Costs } from '@portcullis/contracts/api/costs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callStore, type StoreCalls } from '../testing/store-calls.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let store: StoreCalls;
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);
const since = hoursAgo(100).toISOString();

beforeAll(async () => {
  own = await startTestApp();
  store = callStore(own.database);
  for (const [slug, owner] of [
    ['dev', 'ann'],
    ['ops', 'bob'],
    ['both', 'ann'],
  ])
    await own.call('POST', '/v1/agents', { slug, owner });
  for (const slug of ['blue', 'red']) await own.call('POST', '/v1/groups', { slug });
  for (const path of ['blue/members/dev', 'blue/members/both', 'red/members/both']) await own.call('PUT', `/v1/groups/${path}`);
});
afterAll(() => own.close());

const price = async (body: object) => own.call('POST', '/v1/prices', { currency: 'EUR', effectiveFrom: since, ...body });
const costs = async (query = ''): Promise<Costs> => (await own.call('GET', `/v1/costs?from=${since}&${query}`, undefined, own.auditor)).body;
async function everyCall(): Promise<CostedCall[]> {
  const calls: CostedCall[] = [];
  for (let cursor = ''; ;) {
    const { body } = await own.call('GET', `/v1/costs/calls?from=${since}&limit=7${cursor}`);
    calls.push(...body.items);
    if (body.nextCursor === null) return calls;
    cursor = `&cursor=${body.nextCursor}`;
  }
}
const sumOf = (rows: readonly { costMicros: string }[]): bigint => rows.reduce((sum, { costMicros }) => sum + BigInt(costMicros), 0n);

test('every report is the exact sum of its calls, in whole millionths, whatever it is by', async () => {
  await price({ server: 'wiki', amountMicros: '1000001' });
  await price({ server: 'wiki', tool: 'big', basis: 'byte', amountMicros: '7', per: 1000 });
  await price({ server: 'wiki', tool: 'paid', amountMicros: '5', currency: 'USD', effectiveFrom: hoursAgo(10).toISOString() });
  const agents = ['dev', 'ops', 'both'];
  const some = Array.from({ length: 30 }, (_, at) => ({
    at: hoursAgo(at * 2),
    agent: agents[at % 3] ?? '',
    tool: ['read', 'big', 'paid'][(at >> 1) % 3] ?? '',
  }));
  await store(some.map((call, at) => ({ ...call, resultBytes: at * 71 + 1 })));
  await store([
    { status: 'denied' },
    { status: 'timeout' },
    { status: 'pending' },
    { server: 'free' },
    { status: 'tool_error', agent: 'ops', at: hoursAgo(3) },
  ]);
  const calls = await everyCall();
  expect(calls).toHaveLength(31);
  for (const { tool, resultBytes, costMicros, at } of calls) {
    const bytes = BigInt(resultBytes);
    const isPaid = tool === 'paid' && Date.parse(at) >= Date.now() - 10 * 3_600_000 - 60_000;
    expect(BigInt(costMicros)).toBe(tool === 'big' ? (7n * bytes + 500n) / 1000n : isPaid ? 5n : 1_000_001n);
  }
  for (const by of ['agent', 'owner', 'group', 'server', 'tool', 'month', 'day'] as const) {
    const { rows, totals } = await costs(`by=${by}`);
    expect(
      rows.reduce((sum, row) => sum + row.calls, 0),
      by,
    ).toBe(calls.length);
    for (const { currency, costMicros } of totals) {
      expect(BigInt(costMicros)).toBe(sumOf(calls.filter((call) => call.currency === currency)));
      expect(sumOf(rows.filter((row) => row.currency === currency))).toBe(BigInt(costMicros));
    }
  }
  const dev = await costs('by=agent&agent=dev');
  expect(sumOf(dev.rows.filter(({ currency }) => currency === 'EUR'))).toBe(
    sumOf(calls.filter((call) => call.agent === 'dev' && call.currency === 'EUR')),
  );
  expect(new Set((await costs('by=group')).rows.map(({ groups }) => groups?.join('+')))).toEqual(new Set(['', 'blue', 'blue+red']));
  expect(new Set((await costs('by=owner')).rows.map(({ owner }) => owner))).toEqual(new Set(['ann', 'bob']));
});

test('a price per unit charges what each result reported under the name that was asked for, to the last millionth', async () => {
  const unit = '/usage/tokens';
  const body = { server: 'llm', basis: 'unit', unit, amountMicros: '15000001', per: 1_000_000 };
  const made = await price(body);
  expect([made.status, made.body]).toMatchObject([201, { basis: 'unit', unit, per: 1_000_000 }]);
  expect(made.headers['x-policy-revision']).toBeDefined();
  await price({ server: 'llm', tool: 'image', basis: 'unit', unit: '/pictures', amountMicros: '40000', per: 1 });
  const micros = Array.from({ length: 20 }, (_, at) => at ** 5 * 1_000_003 + at);
  await store(micros.map((tokens, at) => ({ server: 'llm', agent: at % 2 === 0 ? 'dev' : 'ops', tool: 'ask', units: { [unit]: tokens } })));
  await store([
    { server: 'llm', tool: 'ask' },
    { server: 'llm', tool: 'ask', units: { '/other': 9_000_000 } },
    { server: 'llm', tool: 'image', units: { [unit]: 5_000_000, '/pictures': 2_500_000 } },
  ]);
  const calls = (await everyCall()).filter(({ server }) => server === 'llm');
  const expected = micros.map((tokens) => (2n * 15_000_001n * BigInt(tokens) + 10n ** 12n) / (2n * 10n ** 12n));
  const byAsk = calls.filter(({ tool, unitsMicros }) => tool === 'ask' && unitsMicros !== null);
  const inOrder = (amounts: readonly bigint[]): string[] => amounts.map((amount) => String(amount).padStart(20)).toSorted();
  expect(inOrder(byAsk.map(({ costMicros }) => BigInt(costMicros)))).toEqual(inOrder(expected));
  expect(calls.filter(({ unitsMicros }) => unitsMicros === null).map(({ costMicros }) => costMicros)).toEqual(['0', '0']);
  expect(calls.find(({ tool }) => tool === 'image')).toMatchObject({ unitsMicros: '2500000', costMicros: '100000' });
  for (const by of ['agent', 'owner', 'group', 'tool', 'month'] as const)
    expect(sumOf((await costs(`by=${by}&server=llm`)).rows)).toBe(expected.reduce((a, b) => a + b, 100_000n));
});

test('a price says by what it charges, and only a price per unit names one', async () => {
  const body = { server: 'odd', amountMicros: '1' };
  for (const wrong of [{ basis: 'unit' }, { unit: '/tokens' }, ...['', 'tokens', '/a~2', '/a//b', '/a\n'].map((unit) => ({ basis: 'unit', unit }))])
    expect((await price({ ...body, ...wrong })).status, JSON.stringify(wrong)).toBe(400);
});

test('costs are told as CSV that a spreadsheet neither rounds nor takes for formulas', async () => {
  await price({ server: 'wiki', tool: '=cmd', amountMicros: '900719925474099' });
  await store([{ tool: '=cmd', at: hoursAgo(90) }]);
  const answer = await own.call('GET', `/v1/costs?from=${since}&to=${hoursAgo(80).toISOString()}&by=tool&format=csv`);
  expect(answer.headers['content-type']).toContain('text/csv');
  expect(answer.text).toBe(`server,tool,currency,calls,costMicros\r\nwiki,"'=cmd",EUR,1,900719925474099\r\n`);
});

test('a price is on record, is of its names and time once, and can be taken back', async () => {
  const body = { server: 'docs', amountMicros: '10' };
  const { body: made, status } = await price(body);
  expect([status, made]).toMatchObject([201, { tool: '*', basis: 'call', amountMicros: '10', per: 1 }]);
  expect((await price(body)).status).toBe(409);
  expect((await price({ ...body, amountMicros: '1.5' })).status).toBe(400);
  expect((await price({ ...body, amountMicros: 10 })).status).toBe(400);
  expect((await own.call('POST', '/v1/prices', { ...body, currency: 'EUR' }, own.auditor)).status).toBe(403);
  expect((await own.call('DELETE', `/v1/prices/${made.id}`)).status).toBe(204);
  expect((await own.call('GET', `/v1/prices/${made.id}`)).status).toBe(404);
  const actions = await own.database.auditEvent.findMany({ where: { method: { startsWith: 'operator/price.' } } });
  expect(actions.filter(({ method }) => method === 'operator/price.deleted')).toHaveLength(1);
  expect((await own.call('GET', `/v1/costs?from=2020-01-01T00:00:00Z`)).status).toBe(400);
});
