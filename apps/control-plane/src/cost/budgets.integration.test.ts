import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { agentEntry } from '../snapshots/compile-entries.js';
import { readAgents } from '../snapshots/snapshot-rows.js';
import { callStore, type StoreCalls } from '../testing/store-calls.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let store: StoreCalls;

beforeAll(async () => {
  own = await startTestApp({ alerts: { lookMs: 50, slowMs: 50 } });
  store = callStore(own.database);
  for (const slug of ['dev', 'ops']) await own.call('POST', '/v1/agents', { slug, owner: 'ann' });
  await own.call('POST', '/v1/groups', { slug: 'blue' });
  await own.call('PUT', '/v1/groups/blue/members/dev');
  await own.call('POST', '/v1/prices', { server: 'wiki', amountMicros: '1000', currency: 'EUR', effectiveFrom: '2020-01-01T00:00:00Z' });
});
afterAll(() => own.close());

const patience = { timeout: 20_000, interval: 100 };
const budget = async (subject: object, amountMicros: string, more: object = {}) =>
  own.call('POST', '/v1/budgets', { name: `of ${JSON.stringify(subject)}`, subject, currency: 'EUR', amountMicros, ...more });
const spent = async (id: string): Promise<string> => (await own.call('GET', `/v1/budgets/${id}`, undefined, own.auditor)).body.spentMicros;

test('a budget counts every answered call of its agents once, before and after it was made, as the report does', async () => {
  await store([{ agent: 'dev' }, { agent: 'ops' }, { agent: 'dev', status: 'denied' }]);
  const [agent, group, owner] = [
    await budget({ agent: 'dev' }, '99000'),
    await budget({ group: 'blue' }, '99000'),
    await budget({ owner: 'ann' }, '99000'),
  ];
  expect(agent.status, agent.text).toBe(201);
  await vi.waitFor(async () => expect(await spent(owner.body.id)).toBe('2000'), patience);
  await store(Array.from({ length: 3 }, () => ({ agent: 'dev' })));
  await store([{ agent: 'ops' }, { agent: 'ops', server: 'free' }, { agent: 'ops', status: 'timeout' }]);
  await vi.waitFor(async () => expect(await spent(owner.body.id)).toBe('6000'), patience);
  expect([await spent(agent.body.id), await spent(group.body.id)]).toEqual(['4000', '4000']);
  expect((await own.call('GET', '/v1/costs?by=owner')).body.rows).toMatchObject([{ owner: 'ann', costMicros: '6000' }]);
  // A price that began earlier changes what was spent.
  await own.call('POST', '/v1/prices', { server: 'wiki', tool: 'read', amountMicros: '7', currency: 'EUR', effectiveFrom: '2020-01-01T00:00:00Z' });
  await vi.waitFor(async () => expect(await spent(owner.body.id)).toBe('42'), patience);
  expect((await own.call('GET', '/v1/costs?by=owner')).body.totals).toMatchObject([{ costMicros: '42' }]);
});

test('each level of a budget is told once in a month', async () => {
  await own.call('POST', '/v1/agents', { slug: 'spender' });
  const { body } = await budget({ agent: 'spender' }, '700', { name: 'Spender', warnPercents: [50, 100] });
  const rule = (await own.call('POST', '/v1/alert-rules', { name: 'r', when: { kind: 'budget', name: 'Spend*' }, quietSeconds: 60 })).body;
  const alerts = async () => (await own.call('GET', `/v1/alerts?rule=${rule.id}`)).body.items;
  await store(Array.from({ length: 60 }, () => ({ agent: 'spender' })));
  await vi.waitFor(async () => expect(await alerts()).toHaveLength(1), patience);
  expect(await alerts()).toMatchObject([
    { kind: 'budget', subject: { budget: 'Spender', percent: '50' }, values: { spentMicros: '420', amountMicros: '700' } },
  ]);
  // As if it had been told a day ago.
  await own.database.alert.updateMany({ where: { ruleId: rule.id }, data: { at: new Date(Date.now() - 86_400_000) } });
  await store(Array.from({ length: 60 }, () => ({ agent: 'spender' })));
  await vi.waitFor(async () => expect(await alerts()).toHaveLength(2), patience);
  expect(await spent(body.id)).toBe('840');
  expect((await alerts()).map(({ subject }: { subject: { percent: string } }) => subject.percent)).toEqual(['100', '50']);
});

test('budgets are made, changed and deleted on record, by those who may', async () => {
  const { body } = await budget({ agent: 'dev' }, '5');
  expect(body).toMatchObject({ subject: { agent: 'dev' }, warnPercents: [80, 100] });
  expect((await own.call('PATCH', `/v1/budgets/${body.id}`, { amountMicros: '6', warnPercents: [90] })).body).toMatchObject({
    amountMicros: '6',
    warnPercents: [90],
  });
  expect((await own.call('PATCH', `/v1/budgets/${body.id}`, { amountMicros: '0' })).status).toBe(400);
  expect((await own.call('PATCH', `/v1/budgets/${body.id}`, { amountMicros: '7' }, own.auditor)).status).toBe(403);
  expect((await own.call('GET', '/v1/budgets?limit=1')).body.nextCursor).toEqual(expect.any(String));
  expect((await own.call('DELETE', `/v1/budgets/${body.id}`)).status).toBe(204);
  expect((await own.call('GET', `/v1/budgets/${body.id}`)).status).toBe(404);
  const actions = await own.database.auditEvent.findMany({ where: { method: { startsWith: 'operator/budget.' } }, distinct: ['method'] });
  expect(actions.map(({ method }) => method).sort()).toEqual(['operator/budget.created', 'operator/budget.deleted', 'operator/budget.updated']);
});

test('a spent budget that blocks reaches nodes as a change of policy until the month ends, and a larger one frees its agents', async () => {
  const agent = (await own.call('POST', '/v1/agents', { slug: 'blocked' })).body;
  const { body } = await budget({ agent: 'blocked' }, '14', { action: 'block' });
  const until = async () => (await own.database.agent.findUniqueOrThrow({ where: { id: agent.id } })).budgetSpentUntil;
  const compiled = async () =>
    own.database.$transaction(async (tx) =>
      (await readAgents(tx, [bucketOf(agent.id)])).filter(({ id }) => id === agent.id).map((row) => agentEntry(row, new Date())),
    );
  await store([{ agent: 'blocked' }]);
  await vi.waitFor(async () => expect(await spent(body.id)).toBe('7'), patience);
  expect([await until(), (await compiled())[0]?.budgetSpentUntil]).toEqual([null, undefined]);
  await store([{ agent: 'blocked' }]);
  const now = new Date();
  const end = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  await vi.waitFor(async () => expect(await until()).toEqual(end), patience);
  expect(await compiled()).toMatchObject([{ budgetSpentUntil: end.getTime() }]);
  const kept = { kind_bucket: { kind: 'agents', bucket: bucketOf(agent.id) } } as const;
  // Nodes that would make its calls all the same cannot take this snapshot for theirs.
  await vi.waitFor(async () => expect((await own.database.snapshotBucket.findUniqueOrThrow({ where: kept })).schema).toBe(3), patience);
  const [revision] = await own.database.revision.findMany({ where: { action: 'budget.enforced' }, orderBy: { revision: 'desc' } });
  expect(revision).toMatchObject({ author: 'portcullis/budgets', change: { change: { blocked: ['blocked'], freed: [] } } });
  const shown = async () => (await own.call('GET', '/v1/agents/blocked')).body.budgetSpentUntil;
  expect(await shown()).toBe(end.toISOString());
  const explained = await own.call('POST', '/v1/policy/explain', { agent: 'blocked', target: 'some:tool' });
  expect(explained.body.steps.map(({ code }: { code: string }) => code)).toContain('budget_spent');
  expect((await own.call('GET', '/v1/agents/blocked/access')).body.hints[0]).toMatch(/^A budget of blocked is spent/);
  await own.call('PATCH', `/v1/budgets/${body.id}`, { amountMicros: '15' });
  await vi.waitFor(async () => expect(await until()).toBeNull(), patience);
  expect(await shown()).toBeNull();
  expect((await compiled())[0]?.budgetSpentUntil).toBeUndefined();
});
