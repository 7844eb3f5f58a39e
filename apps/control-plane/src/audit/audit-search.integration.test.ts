import type { Prisma } from '@portcullis/database';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
const boot = v7();
let seq = 0n;
type More = Partial<Prisma.AuditEventUncheckedCreateInput>;
const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));
const names = new Map<string, string>();

/** A call as the audit worker writes it: intent and outcome, or one row of a refusal. */
async function call(name: string, ageMinutes: number, more: More = {}, refused = false): Promise<string> {
  const at = new Date(Date.now() - ageMinutes * 60_000);
  const callId = v7({ msecs: at.getTime() });
  const day = at.toISOString().slice(0, 10);
  await own.database.$executeRaw`SELECT audit_ensure_day(${day}::date)`;
  const row = { day: new Date(day), node: 'node-1', boot, callId, at, method: 'tools/call', agent: 'dev', server: 'github', tool: 'create_issue' };
  for (const phase of refused ? ['single'] : ['intent', 'outcome']) {
    seq += 1n;
    const { arguments: kept, ...rest } = more;
    const said = phase === 'outcome' ? rest : { ...more, ...(phase === 'intent' && { status: 'pending', durationUs: null, resultSummary: null }) };
    const status = { intent: 'pending', outcome: 'success', single: 'denied' }[phase] ?? '';
    const data = { ...row, seq, id: v7({ msecs: at.getTime() }), phase, decision: refused ? 'deny' : 'allow', status, ...said };
    await own.database.auditEvent.create({ data: { ...data, arguments: phase === 'outcome' ? null : (kept ?? null) } });
  }
  names.set(callId, name);
  return callId;
}
const get = async (path: string) => own.call('GET', `/v1/audit/${path}`, undefined, own.auditor);
const found = async (query: string, list = 'events'): Promise<string[]> => {
  const all: string[] = [];
  for (let cursor = ''; ;) {
    const { status, body, text } = await get(`${list}?${query}${cursor}`);
    expect(status, text).toBe(200);
    all.push(...body.items.map(({ callId }: { callId: string }) => names.get(callId) ?? 'another'));
    if (body.nextCursor === null) return all;
    cursor = `&cursor=${body.nextCursor}`;
  }
};

const traceId = 'a'.repeat(32);
beforeAll(async () => {
  own = await startTestApp();
  for (const slug of ['dev', 'ops', 'idle']) await own.call('POST', '/v1/agents', { slug, owner: slug === 'ops' ? 'operations' : 'platform' });
  await own.call('POST', '/v1/groups', { slug: 'crew' });
  await own.call('PUT', '/v1/groups/crew/members/ops');
  await call('yesterday', 1500, { durationUs: 2_000_000n, revision: 3 });
  await call('slow', 50, { durationUs: 900_000n, revision: 7, traceId, arguments: bytes('{"title":"Größe 5"}') });
  await call('quick', 40, { durationUs: 1_000n, revision: 7, resultSummary: bytes('{"issue":42}') });
  await call('refused', 30, { agent: 'ops', tool: 'drop_table', server: 'db', revision: 8, durationUs: 50n }, true);
  await call('timeout', 20, { agent: 'ops', status: 'timeout', durationUs: 5_000_000n, traceId, node: 'node-2' });
  await call('asked', 10, { requestId: v7() });
});
afterAll(() => own.close());

test('calls are found by whose they are: agent, group and owner as they are today', async () => {
  expect(await found('agent=ops')).toEqual(['timeout', 'refused']);
  expect(await found('group=crew')).toEqual(['timeout', 'refused']);
  expect(await found('owner=platform&to=' + new Date(Date.now() - 1_000_000_0).toISOString())).toEqual(['yesterday']);
  expect(await found('group=crew&owner=platform')).toEqual([]);
  expect(await found('group=nobody')).toEqual([]);
});

test('calls are found by duration, revision, trace, node and status', async () => {
  expect(await found('server=github&durationMsMin=900&durationMsMax=2000')).toEqual(['slow', 'yesterday']);
  expect(await found('revision=7')).toEqual(['quick', 'slow']);
  // A node never served from 4 to 6: what was decided since 4 is found all the same.
  expect(await found('method=tools/call&revision=4')).toEqual([]);
  expect(await found('method=tools/call&revisionMin=4')).toEqual(['refused', 'quick', 'slow']);
  expect(await found('method=tools/call&revisionMin=3&revisionMax=7')).toEqual(['quick', 'slow', 'yesterday']);
  expect(await found(`traceId=${traceId}`)).toEqual(['timeout', 'slow']);
  expect(await found('node=node-2')).toEqual(['timeout']);
  expect(await found('status=timeout')).toEqual(['timeout']);
  expect(await found('decision=deny')).toEqual(['refused']);
  expect(await found('status=denied&tool=drop_table&server=db&agent=ops')).toEqual(['refused']);
  expect(await found('tool=create_issue&status=success&durationMsMax=1')).toEqual(['quick']);
});

test('text is looked for in arguments and in results apart', async () => {
  expect(await found(`argumentsText=${encodeURIComponent('GRöße')}`)).toEqual(['slow']);
  expect(await found(`resultText=${encodeURIComponent('"ISSUE":42')}`)).toEqual(['quick']);
  expect(await found('method=tools/call&argumentsText=42')).toEqual([]);
});

test('however few of many calls match, pages lead to each of them once while others arrive', async () => {
  const wanted: string[] = [];
  for (let each = 0; each < 60; each += 1) {
    await call(`filler-${each}`, 5, { agent: 'busy', durationUs: each % 20 === 0 ? 77_000n : 1n });
    if (each % 20 === 0) wanted.unshift(`filler-${each}`);
  }
  const first = await get('events?agent=busy&limit=2&durationMsMin=77');
  await call('later', 0, { agent: 'busy', durationUs: 77_000n });
  const rest = await found(`agent=busy&limit=1&durationMsMin=77&cursor=${first.body.nextCursor}`);
  expect([...first.body.items.map(({ callId }: { callId: string }) => names.get(callId)), ...rest]).toEqual(wanted);
});

test('a timeline tells what one agent did, or what happened under one trace, in the order it happened', async () => {
  expect(await found('agent=ops&limit=1', 'timeline')).toEqual(['refused', 'timeout']);
  expect(await found(`traceId=${traceId}`, 'timeline')).toEqual(['slow', 'timeout']);
  expect((await get('timeline')).status).toBe(400);
  expect((await get(`timeline?agent=ops&traceId=${traceId}`)).status).toBe(400);
});

test('the story of a call tells its grant and its definition as they were then, and what they are now', async () => {
  const made = (await own.call('POST', '/v1/servers', { slug: 'wiki', url: 'https://wiki.example.com/mcp' })).body;
  const grant = await own.call('POST', '/v1/grants', { agent: 'dev', server: 'wiki', names: ['read_*'], reason: 'first' });
  const revision = Number(grant.headers['x-policy-revision']);
  const definition = { serverId: made.id, kind: 'tool' as const, name: 'read_page', json: bytes('{"name":"read_page","v":2}'), hash: 'two' };
  await own.database.definition.create({
    data: { ...definition, state: 'changed', approvedJson: bytes('{"name":"read_page","v":1}'), approvedHash: 'one' },
  });
  const more = { serverId: made.id, server: 'wiki', tool: 'read_page', grantId: grant.body.id, revision, definitionHash: 'one' };
  const callId = await call('told', 1, {
    ...more,
    arguments: bytes('{"page":1}'),
    argumentsBytes: 10,
    durationUs: 106_136n,
    upstreamUs: 104_923n,
    retries: 1,
  });
  const asked = await call('question', 0, { ...more, method: 'elicitation/create', reason: `asked_in:${callId}` }, true);
  await own.call('PATCH', `/v1/grants/${grant.body.id}`, { names: ['read_page'], reason: 'narrowed' });

  const { body } = await get(`calls/${callId}`);
  expect(body.call).toMatchObject({ callId, status: 'success' });
  expect(body.events.map(({ phase }: { phase: string }) => phase)).toEqual(['intent', 'outcome']);
  expect(body.timings).toEqual({ totalMs: 106.136, upstreamMs: 104.923, gatewayMs: 1.213 });
  expect(body.retries).toBe(1);
  expect(body.arguments).toMatchObject({ value: { page: 1 }, kept: 'whole', bytes: 10 });
  expect(body.grant).toMatchObject({ atCall: { names: ['read_*'], server: 'wiki' }, now: { names: ['read_page'] } });
  expect(body.definition).toEqual({ hash: 'one', json: { name: 'read_page', v: 1 }, approvedNow: false });
  expect(body.accessRequest).toBeNull();
  expect(body.questions).toMatchObject([{ callId: asked, method: 'elicitation/create' }]);

  await own.call('DELETE', `/v1/grants/${grant.body.id}`);
  expect((await get(`calls/${callId}`)).body.grant).toMatchObject({ atCall: { names: ['read_*'] }, now: null });
  expect((await get(`calls/${v7()}`)).status).toBe(404);
});
