import { createHash } from 'node:crypto';
import { USUAL_CAPTURE } from '@portcullis/contracts/capture';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importFile } from '../testing/import-file.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
const reason = 'data of customers';

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/servers', { slug: 'crm', url: 'https://crm.example.com/mcp' });
});
afterAll(() => own.close());

const settings = async () => (await own.call('GET', '/v1/settings')).body;
const server = async () => (await own.call('GET', '/v1/servers/crm')).body;
const ofServer = async () => (await server()).auditCapture;
const revert = (headers: Readonly<Record<string, unknown>>) =>
  own.call('POST', `/v1/revisions/${String(headers['x-policy-revision'])}/revert`, { reason: 'a mistake' });

test('what is kept of every call is a change of policy, of which what is left out stays, and has a way back', async () => {
  const changed = await own.call('PATCH', '/v1/settings', { auditCapture: { arguments: { mode: 'hashed' } }, reason });
  expect(changed.body.auditCapture).toEqual({ ...USUAL_CAPTURE, arguments: { mode: 'hashed', paths: [] } });
  const more = await own.call('PATCH', '/v1/settings', { auditCapture: { results: { paths: ['/a/*'] } }, reason });
  const results = { ...USUAL_CAPTURE.results, paths: ['/a/*'] };
  expect(more.body.auditCapture).toEqual({ arguments: { mode: 'hashed', paths: [] }, results });
  const revision = await own.call('GET', `/v1/revisions/${String(more.headers['x-policy-revision'])}`);
  expect(revision.body).toMatchObject({ action: 'settings.updated', reason, author: expect.any(String) as string });
  expect((await revert(more.headers)).status).toBe(200);
  expect((await settings()).auditCapture.results).toEqual(USUAL_CAPTURE.results);
  expect((await revert(changed.headers)).status).toBe(200);
  expect((await settings()).auditCapture).toEqual(USUAL_CAPTURE);
});

test('a server and what it offers have rules of their own, until they have none', async () => {
  const capture = { results: { mode: 'none' }, tools: [{ names: ['find_*'], arguments: { mode: 'redacted', bytesMax: 100, paths: ['/ssn'] } }] };
  const changed = await own.call('PATCH', '/v1/servers/crm', { auditCapture: capture, reason });
  expect(changed.body.auditCapture).toEqual(capture);
  const same = await own.call('PATCH', '/v1/servers/crm', { auditCapture: { tools: capture.tools, results: capture.results } });
  expect(same.headers['x-policy-revision']).toBe(changed.headers['x-policy-revision']);
  const cleared = await own.call('PATCH', '/v1/servers/crm', { auditCapture: null, reason });
  expect(cleared.body.auditCapture).toBeNull();
  expect((await revert(cleared.headers)).status).toBe(200);
  expect(await ofServer()).toEqual(capture);
  expect((await revert(changed.headers)).status).toBe(200);
  expect(await ofServer()).toBeNull();
});

test('what agents may get of what a server answers is policy like any other, and has a way back', async () => {
  const answerRules = {
    bytesMax: 65_536,
    rules: [{ names: ['find_*'], agents: ['support-*'], action: 'redact', secrets: true, texts: ['ACME-*'], paths: ['/_meta/ssn'] }],
  };
  const changed = await own.call('PATCH', '/v1/servers/crm', { answerRules, reason });
  expect(changed.body.answerRules).toEqual(answerRules);
  const same = await own.call('PATCH', '/v1/servers/crm', { answerRules: { rules: answerRules.rules, bytesMax: answerRules.bytesMax } });
  expect(same.headers['x-policy-revision']).toBe(changed.headers['x-policy-revision']);
  const { body: draft } = await own.call('POST', '/v1/policy/preview', {
    changes: [{ do: 'server.update', server: 'crm', change: { answerRules: null } }],
  });
  expect(draft).toMatchObject({ gained: { count: 0 }, lost: { count: 0 } });
  expect((await server()).answerRules).toEqual(answerRules);
  expect((await revert(changed.headers)).status).toBe(200);
  expect((await server()).answerRules).toBeNull();
  const none = { names: ['*'], action: 'block' };
  for (const [rules, pointer] of [
    [[none], '/answerRules/rules/0'],
    [[{ ...none, texts: ['ab'] }], '/answerRules/rules/0/texts/0'],
    [[{ ...none, texts: ['abc*d*'] }], '/answerRules/rules/0/texts/0'],
    [[{ ...none, paths: ['a'] }], '/answerRules/rules/0/paths/0'],
    [[], '/answerRules/rules'],
  ] as const) {
    const { status, body: problem } = await own.call('PATCH', '/v1/servers/crm', { answerRules: { rules } });
    expect([status, problem.errors[0].pointer]).toEqual([400, pointer]);
  }
});

test.each([
  [{ auditCapture: { arguments: { paths: ['/ok', '$.ssn'] } } }, '/auditCapture/arguments/paths/1', 'is no JSON pointer'],
  [{ auditCapture: { results: { mode: 'some' } } }, '/auditCapture/results/mode', ''],
  [{ auditCapture: { arguments: { bytesMax: 5 } } }, '/auditCapture/arguments/bytesMax', ''],
])('a rule that says nothing sound is refused, and where: %j', async (body, pointer, detail) => {
  const { status, body: problem } = await own.call('PATCH', '/v1/settings', body);
  expect([status, problem.errors[0].pointer]).toEqual([400, pointer]);
  expect(problem.errors[0].detail).toContain(detail);
});

test('only who may change settings and servers may change what is kept', async () => {
  expect((await own.call('PATCH', '/v1/settings', { auditCapture: {} }, own.auditor)).status).toBe(403);
  expect((await own.call('PATCH', '/v1/servers/crm', { auditCapture: null }, own.auditor)).status).toBe(403);
});

test('the file of a policy says what is kept, and brings it back', async () => {
  const capture = { tools: [{ names: ['*'], arguments: { mode: 'none' } }] };
  const answerRules = { rules: [{ names: ['*'], action: 'log', secrets: true }] };
  await own.call('PATCH', '/v1/servers/crm', { auditCapture: capture, answerRules });
  await own.call('PATCH', '/v1/settings', { auditCapture: { results: { bytesMax: 99 } } });
  const file = (await own.call('GET', '/v1/policy/export')).text;
  const before = [await ofServer(), await settings()];
  await own.call('PATCH', '/v1/servers/crm', { auditCapture: null, answerRules: null });
  await own.call('PATCH', '/v1/settings', { auditCapture: USUAL_CAPTURE });
  const imported = await importFile(own, file);
  expect([imported.status, imported.text]).toEqual([200, imported.text]);
  expect([await ofServer(), await settings()]).toEqual(before);
  expect((await server()).answerRules).toEqual(answerRules);
  const again = await importFile(own, file);
  expect(again.headers['x-policy-revision']).toBe(imported.headers['x-policy-revision']);
});

/** A call as a node records one whose arguments or result are not on record as they were. */
async function recorded(captured: { args: 'redacted' | 'hashed' | null; result: 'redacted' | 'none' | null }): Promise<string> {
  const at = new Date();
  const callId = v7({ msecs: at.getTime() });
  const day = at.toISOString().slice(0, 10);
  await own.database.$executeRaw`SELECT audit_ensure_day(${day}::date)`;
  const bytes = Uint8Array.from(Buffer.from('{"q":"[redacted:field]"}'));
  const plain = createHash('sha256').update(bytes).digest('hex');
  const keyed = `hmac:k1:${plain}`;
  const row = { day: new Date(day), node: 'node-1', boot: v7(), callId, at, method: 'tools/call', agent: 'dev', server: 'crm', tool: 'find' };
  const intent = {
    argumentsHash: captured.args === null ? plain : keyed,
    argumentsBytes: captured.args === null ? bytes.length : 15,
    arguments: captured.args === 'hashed' ? null : bytes,
    argumentsCapture: captured.args,
  };
  const kept = captured.result === 'none' ? {} : { resultHash: keyed, resultSummary: bytes };
  const server = await own.database.server.findUniqueOrThrow({ where: { slug: 'crm' } });
  const all = { ...row, serverId: server.id, decision: 'allow' };
  await own.database.auditEvent.create({ data: { ...all, ...intent, id: v7(), seq: 1n, phase: 'intent', status: 'pending', truncated: false } });
  const outcome = { ...kept, resultBytes: 7n, resultCapture: captured.result, truncated: captured.result === 'redacted' };
  await own.database.auditEvent.create({ data: { ...all, ...outcome, id: v7(), seq: 2n, phase: 'outcome', status: 'success' } });
  return callId;
}

test('the trail says of each call how it differs from what was sent, and a call that does is not made again', async () => {
  const redacted = await recorded({ args: 'redacted', result: 'redacted' });
  const hashed = await recorded({ args: 'hashed', result: 'none' });
  const [one, other] = await Promise.all([redacted, hashed].map(async (id) => (await own.call('GET', `/v1/audit/events/${id}`)).body));
  expect(one).toMatchObject({ argsCapture: 'redacted', argsTruncated: false, args: { q: '[redacted:field]' } });
  expect(one.result).toMatchObject({ capture: 'redacted', truncated: true });
  expect(other).toMatchObject({ argsCapture: 'hashed', args: null, result: { capture: 'none', hash: null, summary: null, truncated: false } });
  const kept = await Promise.all([redacted, hashed].map(async (id) => (await own.call('GET', `/v1/audit/calls/${id}`)).body.arguments.kept));
  expect(kept).toEqual(['redacted', 'hashed']);
  for (const id of [redacted, hashed]) {
    const answer = await own.call('POST', `/v1/audit/calls/${id}/replay`, { reason: 'to see' });
    expect([answer.status, answer.body.detail]).toEqual([409, 'The call is not made again: its arguments were not kept whole.']);
  }
  expect((await own.call('GET', '/v1/audit/export?format=csv')).text).toContain('argumentsCapture,resultCapture');
});
