import { Prisma, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore, type StoreCalls } from '../testing/store-calls.js';
import { AuditReading } from './audit-reading.js';
import { ExportService } from './export.service.js';

let own: TestApp;
let base: string;
let store: StoreCalls;
const boot = v7();
const from = new Date(Date.now() - 3 * 3_600_000);

const get = async (path: string) => own.call('GET', `/v1/audit/${path}`, undefined, own.auditor);
const later = (minutes: number): Date => new Date(from.getTime() + minutes * 60_000);

beforeAll(async () => {
  own = await startTestApp();
  store = callStore(own.database);
  await own.app.listen(0, '127.0.0.1');
  base = await own.app.getUrl();
});
afterAll(() => own.close());

test('sums count each call once, and latencies are of calls that were answered', async () => {
  const fast = Array.from({ length: 98 }, (_, at) => ({ at: later(at / 10), ms: at + 1 }));
  const odd = [
    { at: later(70), ms: 500, status: 'timeout' },
    { at: later(71), tool: 'drop', agent: 'ops', status: 'denied' },
    { at: later(72), status: 'pending' },
  ];
  await store([...fast, ...odd, { at: new Date(from.getTime() - 3_600_000), agent: 'ops', tool: 'drop', status: 'denied' }]);
  const period = `from=${from.toISOString()}`;
  const { body } = await get(`aggregates?by=agent&${period}`);
  expect(body.rows).toMatchObject([
    { agent: 'dev', calls: 100, errors: 1, denials: 0, open: 1 },
    { agent: 'ops', calls: 1, errors: 0, denials: 1, open: 0, p50Ms: null },
  ]);
  const { p50Ms, p95Ms } = body.rows[0];
  expect([p50Ms / 50, p95Ms / 95].every((part) => Math.abs(part - 1) < 0.05)).toBe(true);
  expect((await get(`aggregates?by=tool&${period}&tool=drop`)).body.rows).toMatchObject([{ server: 'wiki', tool: 'drop', calls: 1 }]);
  const hours = (await get(`aggregates?by=hour&${period}`)).body.rows;
  expect(hours.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0)).toBe(101);
  expect(hours.every(({ at }: { at: string }) => at.endsWith(':00:00.000Z'))).toBe(true);
  expect((await get('aggregates?by=day&from=2020-01-01T00:00:00Z')).status).toBe(400);
  const pairs = (await get(`pairs?${period}`)).body.rows;
  expect(pairs).toMatchObject([
    { agent: 'dev', tool: 'read', calls: 100, isNew: true },
    { agent: 'ops', tool: 'drop', calls: 1, denials: 1, isNew: false },
  ]);
  expect((await get(`pairs?${period}&isNew=true`)).body.rows).toHaveLength(1);
});

test('an export holds every matching call once, goes on where it broke off, and a spreadsheet finds no formula in it', async () => {
  const wrote = await store(Array.from({ length: 450 }, (_, at) => ({ agent: 'exporter', at: later(80 + at / 100), args: '=1+1' })));
  const lines = async (query: string) => (await get(`export?agent=exporter${query}`)).text.trimEnd().split(/\r?\n/);
  const whole = (await lines('')).map((line) => JSON.parse(line).callId as string);
  expect(whole).toEqual(wrote.toReversed());
  const rest = (await lines(`&after=${String(whole[299])}`)).map((line) => JSON.parse(line).callId as string);
  expect(rest).toEqual(whole.slice(300));
  const csv = await lines('&format=csv');
  expect(csv[0]).toMatch(/^callId,timestamp,/);
  expect(csv).toHaveLength(451);
  expect(csv[1]).toContain(`'=1+1`);
  expect((await lines(`&format=csv&after=${String(whole[299])}`))[0]).toContain(String(whole[300]));
  const { body } = await get('events?method=operator/audit.read&limit=1');
  expect(body.items[0].args.export).toMatchObject({ format: 'csv', filter: { agent: 'exporter' } });
});

test('A106: of twenty exports at once four run, two of each operator, and the others are told to come back; who breaks off makes room', async () => {
  const exports = own.app.get(ExportService);
  const open = (name: string) => exports.open({ name }, { format: 'ndjson', agent: 'exporter' });
  const names = Array.from({ length: 20 }, (_, at) => (at < 14 ? 'greedy' : `auditor-${String(at % 3)}`));
  const begun = await Promise.allSettled(names.map(open));
  const running = begun.map(({ status }, at) => (status === 'fulfilled' ? names[at] : '')).filter((name) => name !== '');
  expect(running).toEqual(['greedy', 'greedy', 'auditor-2', 'auditor-0']);
  const [one, ...others] = begun.flatMap((begin) => (begin.status === 'fulfilled' ? [begin.value] : []));
  const refused = begun.flatMap((begin) => (begin.status === 'rejected' ? [String(begin.reason)] : []));
  expect(refused.filter((reason) => reason.includes('2 exports of yours are running here'))).toHaveLength(12);
  expect(refused.filter((reason) => reason.includes('4 exports are running here'))).toHaveLength(4);
  one?.destroy();
  await vi.waitFor(async () => others.push(await open('auditor-1')), { timeout: 10_000 });
  await expect(open('auditor-1')).rejects.toThrow('4 exports are running here');
  for (const stream of others) expect((await stream.toArray()).join('').trimEnd().split('\n')).toHaveLength(450);
});

test('A106: an export reads on only as it is taken, so that of ten million calls it never holds more than two pages', async () => {
  await store(Array.from({ length: 800 }, (_, at) => ({ agent: 'long', at: later(90 + at / 100), args: 'x'.repeat(400) })));
  const reading = vi.spyOn(own.app.get(AuditReading), 'bounded');
  try {
    const stream = await own.app.get(ExportService).open({ name: 'auditor' }, { format: 'ndjson', agent: 'long' });
    let taken = 0;
    let lines = 0;
    for await (const page of stream) {
      taken += 1;
      lines += String(page).trimEnd().split('\n').length;
      // Long enough for whoever would read ahead.
      await own.database.$executeRaw`SELECT pg_sleep(0.05)`;
      expect(reading.mock.calls.length).toBeLessThanOrEqual(taken + 1);
    }
    expect([taken, lines]).toEqual([4, 800]);
  } finally {
    reading.mockRestore();
  }
});

/** Reads a tail until it has told so much; gives what it told and the id to go on behind. */
async function tail(query: string, { lastEventId, until, meanwhile }: { lastEventId?: string; until: number; meanwhile?: () => Promise<unknown> }) {
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${own.auditor}`,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const answer = await fetch(`${base}/v1/audit/tail?${query}`, { headers });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const told: { callId: string; status: string }[] = [];
  let id = lastEventId;
  let text = '';
  let written: Promise<unknown> | undefined;
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    written ??= meanwhile?.() ?? Promise.resolve();
    text += piece;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (told.length === until) break;
      id = /^id: (.*)$/m.exec(event)?.[1] ?? id;
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) told.push(JSON.parse(data));
    }
    if (told.length >= until) break;
  }
  await written;
  return { told, id };
}

test('a tail tells what is stored from now on, and goes on behind its last event without a gap or a repeat', { timeout: 60_000 }, async () => {
  await store([{ agent: 'tailed' }]);
  // A tail begins with the oldest transaction that runs, and something is always being summed up.
  const isPast = Prisma.sql`SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > max(stored_tx) AS past FROM audit_event`;
  await vi.waitUntil(async () => (await own.database.$queryRaw<[{ past: boolean }]>(isPast))[0].past, { timeout: 30_000 });
  let ids: string[] = [];
  const first = await tail('agent=tailed', {
    until: 2,
    meanwhile: async () =>
      (ids = await store([{ agent: 'tailed' }, { agent: 'other' }, { agent: 'tailed', status: 'pending' }, { agent: 'tailed' }])),
  });
  const missed = await store([{ agent: 'tailed', at: later(1) }]);
  const second = await tail('agent=tailed', { until: 2, ...(first.id !== undefined && { lastEventId: first.id }) });
  expect([...first.told, ...second.told].map(({ callId }) => callId)).toEqual([ids[0], ids[2], ids[3], missed[0]]);
  expect(first.told.map(({ status }) => status)).toEqual(['success', 'pending']);
});

test('a transaction that commits late is told, and nothing behind it before it', { timeout: 60_000 }, async () => {
  let held: string[] = [];
  const { told } = await tail('tool=slow-commit', {
    until: 2,
    meanwhile: async () => {
      const work = async (tx: Transaction): Promise<void> => {
        const callId = v7();
        held = [callId];
        const day = new Date(new Date().toISOString().slice(0, 10));
        const row = {
          day,
          node: 'node-1',
          boot,
          seq: 1_000_000,
          id: v7(),
          callId,
          phase: 'single',
          at: new Date(),
          method: 'tools/call',
          decision: 'allow',
          status: 'success',
        };
        await tx.auditEvent.create({ data: { ...row, tool: 'slow-commit' } });
        held.push(...(await store([{ tool: 'slow-commit' }])));
        expect(await own.database.auditEvent.count({ where: { tool: 'slow-commit' } })).toBe(2); // both rows of the other call, and none of this
      };
      await own.database.$transaction(work, { timeout: 30_000 });
    },
  });
  expect(told.map(({ callId }) => callId)).toEqual(held);
});

test('a place that no tail gave is refused, and so is a client that takes no events', async () => {
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${own.auditor}`, 'last-event-id': 'yesterday' };
  expect((await own.app.inject({ url: '/v1/audit/tail', headers })).statusCode).toBe(400);
  expect((await get('tail')).status).toBe(400);
});
