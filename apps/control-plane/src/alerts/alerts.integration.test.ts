import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { recordAction } from '../changes/record-action.js';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let store: StoreCalls;
const serverId = v7();
const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

beforeAll(async () => {
  own = await startTestApp({ alerts: { lookMs: 50, slowMs: 50 } });
  store = callStore(own.database);
});
afterAll(() => own.close());

const many = (count: number, call: StoredCall): StoredCall[] => Array.from({ length: count }, () => ({ serverId, ...call }));
async function rule(when: object, more: object = {}): Promise<string> {
  const { status, body, text } = await own.call('POST', '/v1/alert-rules', { name: 'r', when, ...more });
  expect(status, text).toBe(201);
  return body.id;
}
const alertsOf = async (id: string) => (await own.call('GET', `/v1/alerts?rule=${id}`, undefined, own.auditor)).body.items;
const raised = async (id: string, count: number) => {
  await vi.waitFor(async () => expect(await alertsOf(id)).toHaveLength(count), { timeout: 20_000, interval: 100 });
  return alertsOf(id);
};
/** Everything that is stored by now has been looked at. */
async function lookedAt(): Promise<void> {
  const [now] = await own.database.$queryRaw<[{ tx: bigint }]>`SELECT pg_current_xact_id()::text::bigint AS tx`;
  const isBehind = async () => expect((await own.database.alertCursor.findUniqueOrThrow({ where: { id: 1 } })).storedTx > now.tx).toBe(true);
  await vi.waitFor(isBehind, { timeout: 20_000, interval: 50 });
}

test('refusals in a burst are told once, with whom and how many, and again only after the quiet time', async () => {
  const id = await rule({ kind: 'denial_burst', count: 5, withinMinutes: 10, agent: 'bur*' });
  await store([...many(4, { agent: 'burster', status: 'denied' }), ...many(9, { agent: 'other', status: 'denied' })]);
  await lookedAt();
  expect(await alertsOf(id)).toEqual([]);
  await store(many(2, { agent: 'burster', status: 'denied' }));
  const [alert] = await raised(id, 1);
  expect(alert).toMatchObject({ kind: 'denial_burst', subject: { agent: 'burster' }, values: { denials: 6 }, ruleId: id });
  await store(many(3, { agent: 'burster', status: 'denied' }));
  await lookedAt();
  expect(await alertsOf(id)).toHaveLength(1);
});

test('refusals that are further apart than the window are no burst', async () => {
  const id = await rule({ kind: 'denial_burst', count: 4, withinMinutes: 5, agent: 'slow' });
  await store([minutesAgo(20), minutesAgo(13), minutesAgo(7), minutesAgo(0)].map((at) => ({ agent: 'slow', status: 'denied', at })));
  await lookedAt();
  expect(await alertsOf(id)).toEqual([]);
});

test('the first use of a tool by an agent is told, and no further one; what is stored late is history', async () => {
  const id = await rule({ kind: 'first_use', agent: 'new*', tool: 'delete_*' });
  await store([
    { serverId, agent: 'newcomer', tool: 'delete_repo' },
    { serverId, agent: 'newcomer', tool: 'read' },
  ]);
  expect(await raised(id, 1)).toMatchObject([{ subject: { agent: 'newcomer', server: 'wiki', tool: 'delete_repo' } }]);
  await store([
    { serverId, agent: 'newcomer', tool: 'delete_repo' },
    { serverId, agent: 'newer', tool: 'delete_repo', status: 'denied' },
    { serverId, agent: 'newest', tool: 'delete_repo', at: minutesAgo(300) },
  ]);
  await store([{ serverId, agent: 'newest', tool: 'delete_repo' }]);
  await lookedAt();
  expect(await alertsOf(id)).toHaveLength(1);
});

test('a server whose calls fail too often is told of; refusals are no failures, and few calls tell nothing', async () => {
  const id = await rule({ kind: 'error_rate', percent: 50, callsMin: 10, server: 'flaky*' });
  await store([
    ...many(2, { server: 'flaky-few', status: 'timeout' }),
    ...many(40, { server: 'flaky-not', status: 'denied' }),
    ...many(12, { server: 'flaky-not' }),
  ]);
  await store([
    ...many(5, { server: 'flaky', status: 'timeout' }),
    ...many(5, { server: 'flaky', status: 'tool_error' }),
    ...many(9, { server: 'flaky' }),
  ]);
  expect(await raised(id, 1)).toMatchObject([{ subject: { server: 'flaky' }, values: { errors: 10, calls: 19 } }]);
});

test('an hour with far more calls than usual is told, where a day or more is known', async () => {
  const hour = 3_600_000;
  const past = Array.from({ length: 48 }, (_, ago) => new Date(Math.floor(Date.now() / hour) * hour - (ago + 2) * hour));
  await own.database.usageHour.createMany({ data: past.map((at) => ({ hour: at, agent: 'steady', server: 'wiki', tool: 'read', calls: 5n })) });
  const id = await rule({ kind: 'volume', factor: 4, callsMin: 10 });
  await store([...many(30, { agent: 'steady' }), ...many(60, { agent: 'unknown-so-far' })]);
  const [alert] = await raised(id, 1);
  expect(alert).toMatchObject({ subject: { agent: 'steady' }, values: { calls: 30 } });
  expect(alert.values.usual).toBeCloseTo(5, 0);
});

test('a server that changes what it offers is told of, and one that is suspended for it too', async () => {
  const [all, suspended] = [await rule({ kind: 'drift', server: 'dri*' }), await rule({ kind: 'drift', suspendedOnly: true })];
  const say = async (action: string, slug: string, reason: string): Promise<void> =>
    own.database.$transaction((tx) =>
      recordAction(tx, { name: 'portcullis/discovery' }, { action, detail: { subject: { kind: 'server', id: serverId, slug }, change: {}, reason } }),
    );
  await say('server.drifted', 'drifter', '3 changes by the server');
  await say('server.drifted', 'elsewhere', '1 changes by the server');
  await raised(all, 1);
  await say('server.suspended', 'other', 'too many');
  expect(await raised(suspended, 1)).toMatchObject([{ subject: { server: 'other' }, values: { suspended: true } }]);
  expect(await alertsOf(all)).toMatchObject([{ subject: { server: 'drifter' }, summary: expect.stringContaining('3 changes') }]);
});

test('events that a node recorded and that never came are told of', async () => {
  const boot = v7();
  await own.database.auditWatermark.create({ data: { node: 'holed', boot, contiguousSeq: 10n, reportedSeq: 25n, behindSince: minutesAgo(5) } });
  const id = await rule({ kind: 'integrity_gap', node: 'hol*' });
  expect(await raised(id, 1)).toMatchObject([{ subject: { node: 'holed', boot }, values: { missingEvents: 15 } }]);
});

test('nothing that was said in a call is in an alert', async () => {
  const id = await rule({ kind: 'first_use', agent: 'talker' });
  await store([{ serverId, agent: 'talker', args: '{"password":"hunter2"}' }]);
  await raised(id, 1);
  expect(JSON.stringify(await own.database.alert.findMany({ where: { ruleId: id } }))).not.toContain('hunter2');
});

test('rules are changed and deleted on record, by those who may, and what they raised stays', async () => {
  const id = await rule({ kind: 'first_use', agent: 'stays' });
  await store([{ serverId, agent: 'stays' }]);
  await raised(id, 1);
  expect((await own.call('PATCH', `/v1/alert-rules/${id}`, { enabled: false }, own.auditor)).status).toBe(403);
  expect((await own.call('PATCH', `/v1/alert-rules/${id}`, { enabled: false, when: { kind: 'drift' } })).body).toMatchObject({
    when: { kind: 'drift' },
  });
  expect((await own.call('PATCH', `/v1/alert-rules/${id}`, { when: { kind: 'weather' } })).status).toBe(400);
  expect((await own.call('DELETE', `/v1/alert-rules/${id}`)).status).toBe(204);
  expect((await own.call('GET', `/v1/alert-rules/${id}`)).status).toBe(404);
  expect(await alertsOf(id)).toMatchObject([{ ruleId: null, rule: 'r' }]);
  const actions = await own.database.auditEvent.findMany({ where: { method: { startsWith: 'operator/alert-rule.' }, operator: 'admin' } });
  expect(new Set(actions.map(({ method }) => method))).toEqual(
    new Set(['created', 'updated', 'deleted'].map((verb) => `operator/alert-rule.${verb}`)),
  );
});
