import type { Prisma } from '@portcullis/database';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
const boot = v7();
let seq = 0n;

type Phase = 'intent' | 'outcome' | 'single';

/** A row as the audit worker writes it. */
async function write(phase: Phase, at: Date, callId: string, more: Partial<Prisma.AuditEventUncheckedCreateInput> = {}): Promise<void> {
  const day = at.toISOString().slice(0, 10);
  await own.database.$executeRaw`SELECT audit_ensure_day(${day}::date)`;
  seq += 1n;
  const id = phase === 'single' ? callId : v7({ msecs: at.getTime() });
  const status = { intent: 'pending', outcome: 'success', single: 'denied' }[phase];
  const row = { day: new Date(day), node: 'node-1', boot, seq, id, callId, phase, at, method: 'tools/call', decision: 'allow', status };
  await own.database.auditEvent.create({ data: { ...row, agent: 'dev', server: 'github', tool: 'create_issue', ...more } });
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));
const calls: Record<string, string> = {};

async function writeCall(name: string, age: number, phases: Phase[], more: Partial<Prisma.AuditEventUncheckedCreateInput> = {}): Promise<void> {
  const at = minutesAgo(age);
  const callId = v7({ msecs: at.getTime() });
  calls[name] = callId;
  for (const phase of phases) await write(phase, at, callId, more);
}

const events = async (query = '', token = own.auditor) => {
  const answer = await own.call('GET', `/v1/audit/events?method=tools/call${query}`, undefined, token);
  expect(answer.status).toBe(200);
  return answer.body;
};
const found = async (query: string): Promise<string[]> => {
  const names = new Map(Object.entries(calls).map(([name, id]) => [id, name]));
  return (await events(query)).items.map(({ callId }: { callId: string }) => names.get(callId) ?? callId);
};

beforeAll(async () => {
  own = await startTestApp();
  await writeCall('lost', 60, ['intent']);
  await writeCall('answered', 50, ['intent', 'outcome'], {
    durationUs: 1500n,
    upstreamUs: 1200n,
    arguments: bytes('{"title":"Ünïcode 100%_sure","n":1}'),
    argumentsBytes: 37,
    resultBytes: 9n,
    resultHash: 'ff',
    resultSummary: bytes('Issue 42'),
  });
  await writeCall('refused', 40, ['single'], { decision: 'deny', reason: 'policy.denied', agent: 'ops', tool: 'drop_table', server: null });
  await writeCall('binary', 30, ['intent', 'outcome'], { arguments: Uint8Array.from([0x7b, 0x22, 0xff, 0x00, 0xc3]), argumentsBytes: 900 });
  await writeCall('orphan', 20, ['outcome'], { status: 'tool_error' });
  await writeCall('running', 1, ['intent'], { task: 'ticket-4711', onBehalfOf: 'user-17', claimedAgent: 'ops' });
});
afterAll(() => own.close());

test('a call is one record, newest first; its status is computed from the rows there are', async () => {
  const { items } = await events();
  expect(items.map(({ status }: { status: string }) => status)).toEqual(['pending', 'tool_error', 'success', 'denied', 'success', 'unknown']);
  expect(items[4]).toMatchObject({
    callId: calls['answered'],
    agent: 'dev',
    server: 'github',
    tool: 'create_issue',
    args: { title: 'Ünïcode 100%_sure', n: 1 },
    argsTruncated: false,
    decision: 'allow',
    durationMs: 1.5,
    upstreamMs: 1.2,
    result: { bytes: 9, hash: 'ff', summary: 'Issue 42' },
    node: 'node-1',
  });
  expect(items[2]).toMatchObject({ argsTruncated: true, args: expect.any(String) });
  const one = await own.call('GET', `/v1/audit/events/${calls['answered']}`, undefined, own.auditor);
  expect(one.body).toEqual(items[4]);
});

test('filters are exact, and apply to the call as a whole', async () => {
  expect(await found('&agent=ops')).toEqual(['refused']);
  expect(await found('&agent=op')).toEqual([]);
  expect(await found('&tool=drop_table&decision=deny')).toEqual(['refused']);
  expect(await found('&server=github&status=success')).toEqual(['binary', 'answered']);
  expect(await found('&status=unknown')).toEqual(['lost']);
  expect(await found('&status=pending')).toEqual(['running']);
  expect(await found(`&from=${minutesAgo(45).toISOString()}&to=${minutesAgo(25).toISOString()}`)).toEqual(['binary', 'refused']);
  expect(await found(`&from=${encodeURIComponent(minutesAgo(45).toISOString().replace('Z', '+00:00'))}&to=${minutesAgo(35).toISOString()}`)).toEqual([
    'refused',
  ]);
});

test('text is found literally in names, reasons, arguments and result summaries', async () => {
  expect(await found('&q=DROP_TAB')).toEqual(['refused']);
  expect(await found('&q=policy.denied')).toEqual(['refused']);
  expect(await found(`&q=${encodeURIComponent('Ünïcode 100%_SURE')}`)).toEqual(['answered']);
  expect(await found('&q=issue 42')).toEqual(['answered']);
  expect(await found(`&q=${encodeURIComponent('100_')}`)).toEqual([]);
  expect(await found(`&q=${encodeURIComponent('%')}`)).toEqual(['answered']);
  expect(await found(`&q=${encodeURIComponent("' OR 1=1 --")}`)).toEqual([]);
  expect(await found(`&q=${encodeURIComponent('\\')}`)).not.toContain('refused');
});

test('pages follow one another without a gap while new calls arrive', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 10; page += 1) {
    const { items, nextCursor } = await events(`&limit=2${cursor}`);
    seen.push(...items.map(({ callId }: { callId: string }) => callId));
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
    await writeCall(`later-${page}`, 0, ['single']);
  }
  expect(seen).toEqual(['running', 'orphan', 'binary', 'refused', 'answered', 'lost'].map((name) => calls[name]));
});

test('events of one millisecond are paged apart', async () => {
  const at = minutesAgo(90);
  for (let each = 0; each < 5; each += 1) await write('single', at, v7({ msecs: at.getTime() }), { agent: 'burst' });
  const first = await events('&agent=burst&limit=3');
  const second = await events(`&agent=burst&limit=3&cursor=${first.nextCursor}`);
  expect(new Set([...first.items, ...second.items].map(({ callId }: { callId: string }) => callId)).size).toBe(5);
  expect(second.nextCursor).toBeNull();
});

test('who reads the trail is in the trail', async () => {
  await events('&agent=nobody-in-particular');
  const { body } = await own.call('GET', '/v1/audit/events?method=operator/audit.read&limit=1');
  expect(body.items[0]).toMatchObject({ method: 'operator/audit.read', status: 'success', node: 'control-plane' });
  expect(body.items[0].args.filter).toMatchObject({ agent: 'nobody-in-particular' });
  expect(body.items[0].operator).toMatch(/^auditor-/);
});

test('a shadow report counts calls by agent and tool, each once, with samples to look at', async () => {
  await own.call('POST', '/v1/agents', { slug: 'shadowed' });
  await own.database.server.create({ data: { slug: 'shadow', name: 'shadow', url: 'https://shadow.example.com/mcp' } });
  const grant = { agent: 'shadowed', server: 'shadow', names: ['*'], effect: 'deny', mode: 'shadow' };
  const { id } = (await own.call('POST', '/v1/grants', grant)).body;
  const would = (shadowDecision: string, more = {}) => ({ shadowGrantId: id, shadowDecision, ...more });
  await writeCall('first', 9, ['intent', 'outcome'], would('deny'));
  await writeCall('second', 8, ['intent', 'outcome'], would('deny'));
  await writeCall('third', 7, ['single'], would('allow', { tool: 'drop' }));
  await writeCall('old', 600, ['intent', 'outcome'], would('deny'));
  const since = minutesAgo(60).toISOString();
  const report = await own.call('GET', `/v1/grants/${id}/shadow-report?since=${since}`, undefined, own.auditor);
  expect(report.body).toMatchObject({ grantId: id, mode: 'shadow', since, wouldDeny: 2, wouldAllow: 1, truncated: false });
  expect(report.body.rows).toMatchObject([
    { agent: 'dev', server: 'github', tool: 'create_issue', decision: 'deny', calls: 2, samples: [calls['second'], calls['first']] },
    { tool: 'drop', decision: 'allow', calls: 1, samples: [calls['third']] },
  ]);
  expect((await own.call('GET', `/v1/audit/events/${String(calls['third'])}`)).body).toMatchObject({ shadowDecision: 'allow', shadowGrantId: id });
  expect((await own.call('GET', `/v1/grants/${id}/shadow-report`)).body.wouldDeny).toBe(3);
  expect((await own.call('GET', `/v1/grants/${v7()}/shadow-report`)).status).toBe(404);
  expect((await own.call('GET', `/v1/grants/${id}/shadow-report?since=yesterday`)).status).toBe(400);
});

test('the calls of one task are found by its name', async () => {
  expect(await found('&task=ticket-4711')).toEqual(['running']);
  expect((await events('&task=ticket-4711')).items[0]).toMatchObject({ task: 'ticket-4711' });
  expect(await found('&task=ticket-4711&agent=ops')).toEqual([]);
});

test('the calls on behalf of one subject are found by it', async () => {
  expect(await found('&onBehalfOf=user-17')).toEqual(['running']);
  expect((await events('&onBehalfOf=user-17')).items[0]).toMatchObject({ onBehalfOf: 'user-17' });
  expect(await found('&onBehalfOf=user-1')).toEqual([]);
});

test('calls whose client gave itself the name of another agent are found by that name', async () => {
  expect(await found('&claimedAgent=ops')).toEqual(['running']);
  expect((await events('&claimedAgent=ops')).items[0]).toMatchObject({ agent: 'dev', claimedAgent: 'ops' });
  expect(await found('&claimedAgent=dev')).toEqual([]);
});
