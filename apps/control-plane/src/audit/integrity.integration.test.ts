import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tamperWith } from '@portcullis/testing';
import { AuditWatermarksRepository } from '../nodes/audit-watermarks.repository.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

/** What the audit worker leaves beside the rows of a batch. */
const stored = async (boot: string, firstSeq: number, lastSeq: number, node = 'node-1') =>
  own.database.auditRange.create({ data: { node, boot, firstSeq, lastSeq } });
const heartbeat = async (boot: string, lastSeq: number, node = 'node-1') => own.app.get(AuditWatermarksRepository).fold(node, [{ boot, lastSeq }]);
const aMinutePasses = async (boot: string) =>
  own.database.$executeRaw`UPDATE audit_watermark SET behind_since = behind_since - interval '61 seconds' WHERE boot = ${boot}::uuid`;
const integrity = async (query = '') => (await own.call('GET', `/v1/audit/integrity${query}`, undefined, own.auditor)).body;
const bootOf = async (boot: string) => (await integrity('?limit=200')).items.find((item: { boot: string }) => item.boot === boot);

test('a boot whose events are all stored is complete, folded or not', async () => {
  const boot = v7();
  await stored(boot, 1, 10);
  await heartbeat(boot, 12);
  await stored(boot, 11, 12);
  expect(await bootOf(boot)).toMatchObject({
    node: 'node-1',
    state: 'complete',
    contiguousSeq: 12,
    lastSeq: 12,
    missingEvents: 0,
    missing: [],
    lagSeconds: 0,
  });
});

test('holes are named exactly, the tail that a lost node took with it too', async () => {
  const boot = v7();
  await stored(boot, 1, 10);
  await stored(boot, 14, 20);
  await stored(boot, 16, 18); // sent twice
  await stored(boot, 22, 22);
  await heartbeat(boot, 30);
  expect(await bootOf(boot)).toMatchObject({ state: 'arriving' });
  await aMinutePasses(boot);
  const found = await bootOf(boot);
  expect(found).toMatchObject({ state: 'missing', contiguousSeq: 10, lastSeq: 30, missingEvents: 12, missingTruncated: false });
  expect(found.missing).toEqual([
    { firstSeq: 11, lastSeq: 13 },
    { firstSeq: 21, lastSeq: 21 },
    { firstSeq: 23, lastSeq: 30 },
  ]);
  expect(found.lagSeconds).toBeGreaterThan(60);
});

test('what comes late fills its hole, and a heartbeat that says less takes nothing back', async () => {
  const boot = v7();
  await heartbeat(boot, 5);
  await aMinutePasses(boot);
  expect(await bootOf(boot)).toMatchObject({ state: 'missing', missing: [{ firstSeq: 1, lastSeq: 5 }] });
  await heartbeat(boot, 3);
  expect(await bootOf(boot)).toMatchObject({ lastSeq: 5 });
  await stored(boot, 1, 4);
  expect(await heartbeat(boot, 5)).toEqual([{ boot, contiguousSeq: 4 }]);
  expect(await bootOf(boot)).toMatchObject({ state: 'arriving', missingEvents: 1 });
  await stored(boot, 5, 5);
  await heartbeat(boot, 5);
  expect(await bootOf(boot)).toMatchObject({ state: 'complete', behindSince: null });
});

test('a hole of a node that was never heard of again counts as missing at once', async () => {
  const boot = v7();
  await stored(boot, 3, 4, 'gone');
  expect(await bootOf(boot)).toMatchObject({ node: 'gone', state: 'missing', missing: [{ firstSeq: 1, lastSeq: 2 }] });
});

test('many holes are counted all and shown in part', async () => {
  const boot = v7();
  const ranges = Array.from({ length: 120 }, (_, at) => ({ node: 'torn', boot, firstSeq: at * 2 + 2, lastSeq: at * 2 + 2 }));
  await own.database.auditRange.createMany({ data: ranges });
  const found = await bootOf(boot);
  expect(found).toMatchObject({ missingEvents: 120, missingTruncated: true });
  expect(found.missing).toHaveLength(100);
});

test('boots are paged and filtered, totals are of all, and quarantined events are counted', async () => {
  const boot = v7();
  await stored(boot, 1, 3, 'poisoned');
  await own.database.auditQuarantine.create({ data: { node: 'poisoned', boot, seq: 2, reason: 'unreadable', bytes: Uint8Array.from([1]) } });
  const all = await integrity('?limit=200');
  const paged: string[] = [];
  for (let cursor = ''; ;) {
    const page = await integrity(`?limit=1${cursor}`);
    paged.push(...page.items.map((item: { boot: string }) => item.boot));
    if (page.nextCursor === null) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  expect(paged).toEqual(all.items.map((item: { boot: string }) => item.boot));
  const missing = await integrity('?state=missing&limit=200');
  expect(missing.items).toHaveLength(all.totals.missing);
  expect(missing.totals).toEqual(all.totals);
  expect((await integrity('?node=poisoned')).items).toMatchObject([{ quarantined: 1, state: 'complete' }]);
  expect(all.totals.backlogEvents).toBe(all.items.reduce((sum: number, item: { missingEvents: number }) => sum + item.missingEvents, 0));
});

test("an operator's action that somebody deleted is missed", async () => {
  const { operators } = await integrity();
  expect(operators).toMatchObject({ missingEvents: 0, missing: [], missingTruncated: false });
  await tamperWith(own.config.databaseUrl, "DELETE FROM audit_event WHERE node = 'control-plane' AND seq = $1", [operators.lastSeq - 1]);
  expect((await integrity()).operators).toMatchObject({
    missingEvents: 1,
    missing: [{ firstSeq: operators.lastSeq - 1, lastSeq: operators.lastSeq - 1 }],
  });
});
