import { Prisma } from '@portcullis/database';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore } from '../testing/store-calls.js';
import { driversOf, type ResolvedFilter } from './audit-filter.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await own.database.$executeRaw`SELECT audit_ensure_day(current_date)`;
});
afterAll(() => own.close());

const ask = async (query: string): Promise<{ status: number; text: string }> => own.call('GET', `/v1/audit/events?${query}`, undefined, own.auditor);

describe('A98, A139: what somebody writes into a filter is compared, and nothing else', () => {
  const texts = ["' OR 1=1 --", "'; DROP TABLE agent; --", '$1 % _ .*', '\\', '\u202eevil'];
  const filters = ['agent', 'operator', 'server', 'tool', 'task', 'method', 'traceId', 'node', 'argumentsText', 'resultText', 'q', 'claimedAgent'];
  test.each(texts)('%j finds nothing anywhere and breaks nothing', async (text) => {
    for (const filter of filters) {
      const { status, text: body } = await ask(`${filter === 'method' ? '' : 'method=tools/call&'}${filter}=${encodeURIComponent(text)}`);
      expect([status, JSON.parse(body)], filter).toEqual([200, { items: [], nextCursor: null }]);
    }
    expect(await own.database.agent.count()).toBe(0);
  });

  test.each([
    'q=%00',
    `agent=${'a'.repeat(10_240)}`,
    'sort=secret',
    'order=DESC;DROP',
    'timezone=UTC',
    'group=%27',
    'q=a&q=b',
    'agent[contains]=',
    'where[OR]=1',
  ])('%s is refused', async (query) => {
    const { status, text } = await ask(query);
    expect(status).toBe(400);
    expect(text).not.toMatch(/prisma|postgres|audit_event|\bat .*:\d+/i);
  });
});

test('A144: what was said in a call reaches a reader as data that no browser guesses the type of, or runs, and that hides nothing', async () => {
  const said = '<script>alert(1)</script><svg onload=alert(1)>\u001b[2J\u202egnp.exe';
  const [callId] = await callStore(own.database)([{ tool: said, args: JSON.stringify({ text: said }), result: JSON.stringify({ content: said }) }]);
  const answers = await Promise.all(
    ['events?method=tools/call', `calls/${String(callId)}`, 'export?format=csv', 'export?format=ndjson'].map((path) =>
      own.call('GET', `/v1/audit/${path}`, undefined, own.auditor),
    ),
  );
  for (const { status, headers, text } of answers) {
    expect([status, headers['x-content-type-options']]).toEqual([200, 'nosniff']);
    expect(headers['content-type']).toMatch(/^(?:application\/(?:json|x-ndjson)|text\/csv)/);
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(text).toContain('<script>');
    // Whoever looks at it sees that there is something that turns text around, and a program reads what was said.
    expect([text.includes('\u202e'), /\\+u202egnp\.exe/.test(text)]).toEqual([false, true]);
    expect(text).not.toContain(headers['content-type'] === 'text/csv; charset=utf-8' ? '\n\u001b' : '\u001b');
  }
});

describe('A105: a page is a page', () => {
  test.each([
    'limit=-1',
    'limit=0',
    'limit=1e9',
    'limit=201',
    'limit=%2210%22',
    'limit=1.5',
    'limit=',
    'offset=10',
    'cursor=AAAA',
    `cursor=${v7()}`,
    'cursor=',
  ])('%s is refused', async (query) => {
    expect((await ask(query)).status).toBe(400);
  });

  test('a search that takes too long is ended after some seconds, and says how to ask for less', async () => {
    const answer = await own.database.$transaction(
      async (tx) => {
        await tx.$executeRaw`LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE`;
        return ask('q=x');
      },
      { timeout: 25_000 },
    );
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('took too long');
    expect(answer.text).not.toMatch(/57014|statement|prisma|postgres/i);
    expect((await ask('q=x')).status).toBe(200);
  });
});

describe('A140: times are exact, or none', () => {
  test.each([
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['a day there is not', '2026-02-30T00:00:00Z'],
    ['an hour there is not', '2026-01-01T24:00:00Z'],
    ['the name of a zone', '2026-01-01T00:00:00 Europe/Berlin'],
    ['no zone', '2026-01-01T00:00:00'],
    ['a year of six digits', '+102026-01-01T00:00:00Z'],
    ['a year before years', '-000001-01-01T00:00:00Z'],
    ['a number', '1767225600'],
    ['infinity', 'infinity'],
  ])('%s is refused', async (_what, time) => {
    expect((await ask(`from=${encodeURIComponent(time)}`)).status).toBe(400);
    expect((await ask(`to=${encodeURIComponent(time)}`)).status).toBe(400);
  });

  test.each([
    ['the year 9999', 'to=9999-12-31T23:59:59.999Z'],
    ['the first year', 'from=0001-01-01T00:00:00Z'],
    ['an hour that comes twice where clocks change, by its offset', `from=${encodeURIComponent('2025-10-26T02:30:00+02:00')}`],
    ['a range of everything', 'from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z'],
  ])('%s is taken', async (_what, query) => {
    expect((await ask(query)).status).toBe(200);
  });

  test('of two ends in the wrong order nothing lies between', async () => {
    const { status, text } = await ask('from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z');
    expect([400, 200]).toContain(status);
    if (status === 200) expect(JSON.parse(text)).toMatchObject({ items: [] });
  });
});

test.each<[string, ResolvedFilter]>([
  ['nothing', { agents: undefined }],
  ['an agent', { agents: ['a'] }],
  ['a server', { agents: undefined, server: 's' }],
  ['a tool', { agents: undefined, tool: 't' }],
  ['a task', { agents: undefined, task: 't' }],
  ['a subject', { agents: undefined, onBehalfOf: 's' }],
  ['a claimed agent', { agents: undefined, claimedAgent: 'a' }],
  ['a trace', { agents: undefined, traceId: 'f'.repeat(32) }],
  ['an access request', { agents: undefined, requestId: v7() }],
  ['denials', { agents: undefined, decision: 'deny' }],
  ['an exceptional ending', { agents: undefined, status: 'timeout' }],
])('A139: calls by %s are read off an index in their order, and never gathered first', async (_what, filter) => {
  const [driver = Prisma.empty] = driversOf(filter);
  const plan = await own.database.$transaction(async (tx) => {
    // What is left to choose from where every whole reading costs more than any index.
    await tx.$executeRaw`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)`;
    const rows = await tx.$queryRaw<
      { 'QUERY PLAN': string }[]
    >`EXPLAIN SELECT day, call_id FROM audit_event WHERE ${driver} ORDER BY call_id DESC LIMIT 50`;
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  expect(plan).toMatch(/Index (?:Only )?Scan/);
  expect(plan).not.toMatch(/Seq Scan|\bSort\b/);
});
