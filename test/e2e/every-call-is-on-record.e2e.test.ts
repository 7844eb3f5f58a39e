import type { ListAuditQuery } from '@portcullis/contracts/api/audit-search';
import type { AuditRecord } from '@portcullis/contracts/api/operations';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AuditRow, auditRowsOf } from './audit-rows.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { type Era, messageIn, sendMcp } from './raw-mcp.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('recorded');
const agent = freshSlug('caller');
const patient = { timeout: 20_000, interval: 50 };
const marker = 'Zaunkönig';

let server: TestServer;
let key: string;
let from: string;
let between: string;
let rows: AuditRow[];

interface Made {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
  readonly phases: readonly string[];
  readonly status: string;
}

const made: Made[] = [];
const calls: Omit<Made, 'arguments'>[] = [
  { name: `${slug}__work`, phases: ['intent', 'outcome'], status: 'success' },
  { name: `${slug}:work`, phases: ['intent', 'outcome'], status: 'success' },
  { name: `${slug}__hidden`, phases: ['single'], status: 'denied' },
  { name: `${slug}__nothing`, phases: ['single'], status: 'denied' },
  { name: 'nowhere__at_all', phases: ['single'], status: 'denied' },
];

async function callOnce(url: string, era: Era, call: Omit<Made, 'arguments'>): Promise<void> {
  const text = `${marker} ${made.length + 1} "\\\u0000\ud83d\ude00`;
  made.push({ ...call, arguments: { text } });
  const answer = await sendMcp(url, { key, era, method: 'tools/call', params: { name: call.name, arguments: { text } } });
  expect(messageIn(answer).error === undefined).toBe(call.status === 'success');
}

beforeAll(async () => {
  from = new Date().toISOString();
  server = await startTestServer(['work', 'hidden']);
  await registerServer(api, slug, server.url);
  key = await grantedAgent(api, { agent, server: slug, names: ['work'] });
  for (const url of stack.gatewayUrls)
    for (const era of ['legacy', 'modern'] as const) for (const call of calls) await callOnce(`${url}/mcp`, era, call);
  const now = Date.now() + 1;
  between = new Date(now).toISOString();
  await vi.waitUntil(() => Date.now() > now, { interval: 1 }); // no call begins in that very millisecond
  const last = { name: 'work', phases: ['intent', 'outcome'], status: 'success' };
  await callOnce(`${stack.gatewayUrls[0]}/servers/${slug}/mcp`, 'modern', last);
  const wanted = made.reduce((sum, { phases }) => sum + phases.length, 0);
  await vi.waitUntil(async () => {
    rows = (await auditRowsOf(stack.databaseUrl, agent)).filter(({ method }) => method === 'tools/call');
    return rows.length >= wanted;
  }, patient);
});
afterAll(() => server.close());

const textOf = (row: { arguments: string | null }): unknown => (JSON.parse(row.arguments ?? '{}') as { text?: unknown }).text;

describe('in Postgres', () => {
  test('every call has exactly its rows: intent and outcome when it went on, one when it was refused', () => {
    for (const one of made) {
      const first = rows.filter((row) => textOf(row) === one.arguments['text']);
      expect(first).toHaveLength(1);
      const all = rows.filter(({ call_id }) => call_id === first[0]?.call_id);
      expect(all.map(({ phase }) => phase).sort()).toEqual([...one.phases].sort());
      expect(all.find(({ phase }) => phase !== 'intent')?.status).toBe(one.status);
    }
    expect(rows).toHaveLength(made.reduce((sum, { phases }) => sum + phases.length, 0));
  });
});

const list = async (query: Partial<ListAuditQuery>): Promise<AuditRecord[]> => {
  const found: AuditRecord[] = [];
  for await (const record of api.audit.events.each({ agent, method: 'tools/call', limit: 7, ...query })) found.push(record);
  return found;
};

describe('as an auditor reads it', () => {
  test('each call is one event with who, what, with which arguments, when, and what came of it', async () => {
    const events = await list({});
    expect(events).toHaveLength(made.length);
    for (const { arguments: args, name, status } of made) {
      const [event] = events.filter((one) => (one.args as { text?: string }).text === args['text']);
      expect(event).toMatchObject({
        agent,
        args,
        status,
        decision: status === 'success' ? 'allow' : 'deny',
        node: expect.stringMatching(/^gateway-/) as string,
      });
      if (name.startsWith(slug)) expect(event).toMatchObject({ server: slug, tool: name.slice(slug.length).replace(/^(__|:)/, '') });
      if (status !== 'success') continue;
      expect(event).toMatchObject({ server: slug, tool: 'work', grantId: expect.any(String) as string, revision: expect.any(Number) as number });
      expect(event?.durationMs).toBeGreaterThan(0);
      expect(event?.result?.summary).toContain('work: ');
    }
  });

  test('events come newest first, page by page without repeats', async () => {
    const events = await list({ limit: 3 });
    const times = events.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort().reverse());
    expect(new Set(events.map(({ callId }) => callId)).size).toBe(made.length);
  });

  test('one event can be read by its call', async () => {
    const [event] = await list({ limit: 1 });
    expect(await api.audit.read(event?.callId ?? '')).toEqual(event);
  });

  const succeeded = calls.filter(({ status }) => status === 'success').length * 4 + 1;
  const denied = calls.filter(({ status }) => status === 'denied').length * 4;
  test.each<{ what: string; query: () => Partial<ListAuditQuery>; count: number }>([
    { what: 'server', query: () => ({ server: slug }), count: succeeded + denied - 4 },
    { what: 'tool', query: () => ({ tool: 'work' }), count: succeeded },
    { what: 'another tool', query: () => ({ tool: 'hidden' }), count: 4 },
    { what: 'decision allow', query: () => ({ decision: 'allow' }), count: succeeded },
    { what: 'decision deny', query: () => ({ decision: 'deny' }), count: denied },
    { what: 'status', query: () => ({ status: 'denied' }), count: denied },
    { what: 'time from', query: () => ({ from: between }), count: 1 },
    { what: 'time to', query: () => ({ to: between }), count: succeeded + denied - 1 },
    { what: 'time window', query: () => ({ from, to: between }), count: succeeded + denied - 1 },
    { what: 'text of an argument', query: () => ({ q: `${marker} 3 ` }), count: 1 },
    { what: 'text that occurs nowhere', query: () => ({ q: 'Rotkehlchen' }), count: 0 },
    { what: 'text with wildcards, taken literally', query: () => ({ q: '%_%' }), count: 0 },
    { what: 'several at once', query: () => ({ server: slug, tool: 'hidden', decision: 'deny', from, to: between, q: marker }), count: 4 },
    { what: 'another agent', query: () => ({ agent: 'nobody' }), count: 0 },
  ])('events are found by $what', async ({ query, count }) => {
    expect(await list(query())).toHaveLength(count);
  });

  test('every change an operator made is one event too, with its revision', async () => {
    const { items } = await api.audit.events.page({ operator: 'admin', from, limit: 200 });
    const about = (word: string): AuditRecord[] =>
      items.filter(({ method, args }) => method === `operator/${word}` && JSON.stringify(args).includes(`"${agent}"`));
    for (const action of ['agent.created', 'agent-key.created', 'grant.created']) {
      expect(about(action)).toHaveLength(1);
      expect(about(action)[0]).toMatchObject({ agent: null, status: 'success', revision: expect.any(Number) as number });
    }
  });
});
