import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { tamperWith } from '@portcullis/testing';
import { v7 } from 'uuid';
import { AuditVerifyLine, type AuditVerification } from '@portcullis/contracts/api/audit-proof';
import { newRecordingNode, report, sealAll, signLink, storeEvents, type RecordingNode } from '../testing/proven-trail.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { stopLoop } from '../testing/stop-loop.js';
import { becomeOnlySealer } from './seal-repository.js';
import { AuditSealer } from './audit-sealer.js';

const DAY_MS = 86_400_000;
const now = Date.now();
/** Of one moment, so that no test is on two days. */
const daysAgo = (days: number): number => now - days * DAY_MS;
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

let own: TestApp;
let directory: string;
let node: RecordingNode;
let nodes = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-anchor-'));
  own = await startTestApp({ auditAnchors: { file: join(directory, 'anchor.ndjson') } });
  await stopLoop(own, AuditSealer);
});
afterAll(async () => {
  await own.close();
  await rm(directory, { recursive: true });
});

/** Ten events twenty days ago and ten today, of a boot that lasted as long; kept for ten days. */
beforeEach(async () => {
  nodes += 1;
  node = await newRecordingNode(own, `node-${nodes}`);
  const hashes = [...(await storeEvents(own.database, node, [1, 10], daysAgo(20))), ...(await storeEvents(own.database, node, [11, 20]))];
  await report(own, node, 20, [signLink(node, [1, 20], hashes)]);
  await sealAll(own);
  await own.call('PUT', '/v1/audit/retention', { days: 10, reason: 'test' });
});

const run = async (dryRun: boolean) => (await own.call('POST', '/v1/audit/retention/runs', { dryRun })).body.items;
const hold = async (held: object) => (await own.call('POST', '/v1/audit/holds', { reason: 'a case', ...held })).body.id as string;
const release = async (id: string) => (await own.call('DELETE', `/v1/audit/holds/${id}`)).status;
const rows = async () => own.database.auditEvent.count({ where: { node: node.name } });

async function verify(): Promise<AuditVerification> {
  await sealAll(own);
  const { text } = await own.call('GET', '/v1/audit/verify', undefined, own.auditor);
  const line = AuditVerifyLine.parse(JSON.parse(text.trim().split('\n').at(-1) ?? ''));
  if (line.type !== 'result') throw new Error('no result');
  return line.result;
}

test('a day that is over is dropped whole, under a signed block, and the rest still proves to be whole', async () => {
  const day = dateOf(daysAgo(20));
  expect(await run(true)).toMatchObject([{ day, events: 10, outcome: 'dropped', holds: [] }]);
  expect(await rows()).toBe(20);
  const before = await verify();
  expect(await run(false)).toMatchObject([{ day, outcome: 'dropped' }]);
  expect(await rows()).toBe(10);
  expect(await run(true)).toEqual([]);
  const { verdict, findings, droppedEvents } = await verify();
  expect([findings, verdict, droppedEvents]).toEqual([[], 'verified', before.droppedEvents + 10]);
  const recorded = await own.database.auditEvent.findMany({ where: { method: 'operator/audit-day.dropped' } });
  expect(recorded.map(({ operator }) => operator)).toContain('admin');
});

test('days that are dropped under an Idempotency-Key are dropped once, whatever becomes of the answer', async () => {
  const again = () => own.callWith({ 'idempotency-key': 'drop-once' }, 'POST', '/v1/audit/retention/runs', { dryRun: false });
  expect((await again()).body.items).toMatchObject([{ outcome: 'dropped' }]);
  // Said in the transaction that dropped the day: a process that died before its answer would have left this.
  expect(await own.database.idempotencyKey.findFirst({ where: { key: 'drop-once' } })).toMatchObject({ isMade: true });
  expect((await again()).body.items).toMatchObject([{ outcome: 'dropped' }]);
});

test('what is dropped without such a block is missed, and what came late for a dropped day is not excused', async () => {
  await run(false);
  await storeEvents(own.database, node, [21, 25], daysAgo(20));
  expect((await verify()).verdict).toBe('verified');
  await tamperWith(own.config.databaseUrl, `DROP TABLE audit_days.day_${dateOf(daysAgo(20)).replaceAll('-', '')}`);
  expect((await verify()).findings).toMatchObject([{ kind: 'row_missing', node: node.name, firstSeq: 21, lastSeq: 25 }]);
  // For the tests behind this one.
  await storeEvents(own.database, node, [26, 26], daysAgo(20));
  await sealAll(own);
  await run(false);
});

test.each([
  ['an agent', { agent: 'code-review-agent' }, { agent: 'another-agent' }],
  ['a server', { server: 'github' }, { server: 'jira' }],
  ['a time', { from: new Date(daysAgo(21)).toISOString(), to: new Date(daysAgo(19)).toISOString() }, { to: new Date(daysAgo(40)).toISOString() }],
  ['everything', {}, { callId: v7() }],
])('a hold on %s keeps the days on which it happened, until it is released', async (_what, held, other) => {
  const elsewhere = await hold(other);
  const id = await hold(held);
  expect(await run(false)).toMatchObject([{ outcome: 'held', holds: [id] }]);
  expect(await rows()).toBe(20);
  expect(await release(id)).toBe(200);
  expect(await release(id)).toBe(404);
  expect(await run(false)).toMatchObject([{ outcome: 'dropped' }]);
  await release(elsewhere);
});

test('a call is held by its id', async () => {
  const { callId } = await own.database.auditEvent.findFirstOrThrow({ where: { node: node.name, seq: 3 } });
  const id = await hold({ callId });
  expect(await run(true)).toMatchObject([{ outcome: 'held', holds: [id] }]);
  await release(id);
  await run(false);
});

test('what is not sealed yet is not dropped, and without a setting nothing is', async () => {
  await storeEvents(own.database, node, [21, 21], daysAgo(20));
  expect(await run(false)).toMatchObject([{ outcome: 'unsealed', events: 11 }]);
  await own.call('PUT', '/v1/audit/retention', { days: null, reason: 'test' });
  expect(await run(false)).toEqual([]);
  expect((await own.call('PUT', '/v1/audit/retention', { days: 3, reason: 'too few' })).status).toBe(400);
});

test('what is to be kept for longer while a run is under way is kept', async () => {
  const [waiting, raised] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let running: Promise<unknown> | undefined;
  const sealing = own.database.$transaction(async (tx) => {
    await becomeOnlySealer(tx);
    running = run(false); // it has seen which days are over, and waits for its turn
    await vi.waitFor(async () => {
      const [{ count }] = await tx.$queryRaw<[{ count: bigint }]>`SELECT count(*) AS count FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      expect(count).toBeGreaterThan(0n);
    }, 10_000);
    waiting.resolve();
    await raised.promise;
  });
  await waiting.promise;
  await own.call('PUT', '/v1/audit/retention', { days: 400, reason: 'a new rule' });
  raised.resolve();
  await sealing;
  expect(await running).not.toContainEqual(expect.objectContaining({ outcome: 'dropped' }));
  expect(await rows()).toBe(20);
  await own.call('PUT', '/v1/audit/retention', { days: 10, reason: 'test' });
  await run(false);
});

test('a day is over only where no clock says otherwise', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: daysAgo(15) });
  try {
    expect(await run(false)).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
  expect(await run(false)).toMatchObject([{ outcome: 'dropped' }]);
});

test('a day that cannot be dropped keeps no other', async () => {
  await storeEvents(own.database, node, [21, 25], daysAgo(30));
  await sealAll(own);
  const stuck = `audit_days.day_${dateOf(daysAgo(30)).replaceAll('-', '')}`;
  await tamperWith(own.config.databaseUrl, `CREATE VIEW leaning AS SELECT * FROM ${stuck}`);
  expect((await own.call('POST', '/v1/audit/retention/runs', { dryRun: false })).status).toBe(500);
  expect(await own.database.auditEvent.count({ where: { node: node.name, seq: { lte: 10 } } })).toBe(0);
  await tamperWith(own.config.databaseUrl, 'DROP VIEW leaning');
  expect(await run(false)).toMatchObject([{ day: dateOf(daysAgo(30)), outcome: 'dropped', events: 5 }]);
});

test('auditors see holds and the setting and change neither', async () => {
  expect((await own.call('GET', '/v1/audit/retention', undefined, own.auditor)).status).toBe(200);
  expect((await own.call('GET', '/v1/audit/holds?released=true', undefined, own.auditor)).body.items.length).toBeGreaterThan(0);
  expect((await own.call('PUT', '/v1/audit/retention', { days: 9, reason: 'x' }, own.auditor)).status).toBe(403);
  expect((await own.call('POST', '/v1/audit/holds', { reason: 'x' }, own.auditor)).status).toBe(403);
});

test('integrity says how far the trail is sealed and anchored, and what is not', async () => {
  await verify();
  await storeEvents(own.database, node, [30, 31]);
  const { sealing } = (await own.call('GET', '/v1/audit/integrity', undefined, own.auditor)).body;
  expect(sealing).toMatchObject({
    state: 'sealing',
    block: expect.any(Number),
    anchors: [{ target: 'file', block: expect.any(Number), error: null }],
  });
  expect(sealing.lagSeconds).toBeLessThan(60);
});
