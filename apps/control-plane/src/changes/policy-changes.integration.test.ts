import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { PolicyChanges } from './policy-changes.js';
import { PolicyNews } from './policy-news.js';
import { CONTROL_PLANE_NODE } from './record-action.js';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

const state = async () => own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });

test('fifty grants at once make fifty revisions in a row, each with its bucket and its audit event', async () => {
  const agent = await own.call('POST', '/v1/agents', { slug: 'busy' });
  await own.database.server.create({ data: { slug: 'many', name: 'many', url: 'https://many.example.com/mcp' } });
  const { revision: before } = await state();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => own.call('POST', '/v1/grants', { agent: 'busy', server: 'many', names: [`tool_${at}`] })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 201));
  const expected = Array.from({ length: 50 }, (_, at) => before + 1 + at);
  const given = answers.map(({ headers }) => Number(headers['x-policy-revision'])).sort((a, b) => a - b);
  expect(given).toEqual(expected);
  const rows = await own.database.revision.findMany({ where: { revision: { gt: before } }, orderBy: { revision: 'asc' } });
  expect(rows.map(({ revision }) => revision)).toEqual(expected);
  const buckets = await own.database.dirtyBucket.findMany({ where: { revision: { gt: before } } });
  // What is published may already be swept from the outbox.
  for (const { kind, bucket } of buckets) expect([kind, bucket]).toEqual(['grants', bucketOf(agent.body.id)]);
  const events = await own.database.auditEvent.findMany({ where: { method: 'operator/grant.created' } });
  expect(events.map(({ revision }) => revision).sort((a, b) => Number(a) - Number(b))).toEqual(expected);
  expect(new Set(events.map(({ node, boot, seq }) => `${node}/${boot}/${seq}`)).size).toBe(50);
  expect(events.every(({ node, operator, keyId }) => node === CONTROL_PLANE_NODE && operator === 'admin' && keyId !== null)).toBe(true);
});

test('every change of policy takes a reason, also one without a body, and one in the body goes before', async () => {
  const group = await own.call('POST', '/v1/groups?reason=outer', { slug: 'reasoned', reason: 'inner' });
  const gone = await own.call('DELETE', '/v1/groups/reasoned?reason=no%20longer%20needed');
  const revisions = [group, gone].map(({ headers }) => Number(headers['x-policy-revision']));
  const rows = await own.database.revision.findMany({ where: { revision: { in: revisions } }, orderBy: { revision: 'asc' } });
  expect(rows.map(({ reason }) => reason)).toEqual(['inner', 'no longer needed']);
  const [event] = await own.database.auditEvent.findMany({ where: { method: 'operator/group.deleted' } });
  expect(Buffer.from(event?.arguments ?? []).toString()).toContain('no longer needed');
  const long = await own.call('DELETE', `/v1/groups/reasoned?reason=${'x'.repeat(501)}`);
  expect([long.status, long.body.errors[0].pointer]).toEqual([400, '/reason']);
});

test("what an operator's event tells has no well-known secret, and says where one was; every other event is as it was told", async () => {
  const secret = `gh${'p'}_${'a1B2'.repeat(9)}`;
  const made = await own.call('POST', '/v1/groups', { slug: 'told', name: `to use ${secret}` });
  expect(made.status).toBe(201);
  const plain = await own.call('POST', '/v1/groups', { slug: 'plain', reason: 'as agreed' });
  const kept = async ({ headers }: typeof made) => {
    const revision = Number(headers['x-policy-revision']);
    const event = await own.database.auditEvent.findFirstOrThrow({ where: { method: 'operator/group.created', revision } });
    return { text: Buffer.from(event.arguments ?? []).toString(), how: event.argumentsCapture };
  };
  expect((await kept(made)).text).toContain('to use [redacted:');
  expect((await kept(made)).text).not.toContain(secret);
  expect((await kept(made)).how).toBe('redacted');
  expect(await kept(plain)).toEqual({ text: expect.stringContaining('as agreed') as string, how: null });
});

test('a reason has no well-known secret wherever it is kept, whichever way it came', async () => {
  const secret = `gh${'p'}_${'c3D4'.repeat(9)}`;
  const reason = `as ${secret} allows`;
  await own.call('POST', '/v1/agents', { slug: 'explained', reason });
  await own.database.server.create({ data: { slug: 'for-reasons', name: 'x', url: 'https://x.example.com/mcp' } });
  const grant = { agent: 'explained', server: 'for-reasons', names: ['a'] };
  const { body: made } = await own.call('POST', '/v1/grants', { ...grant, reason });
  const file = JSON.stringify({ version: 1, grants: [{ ...grant, names: ['c'], reason }] });
  const answers = [
    await own.callWith({ 'x-break-glass': reason, 'if-match': '*' }, 'DELETE', `/v1/grants/${made.id}?reason=${encodeURIComponent(reason)}`),
    await own.call('POST', '/v1/policy/apply', { changes: [{ do: 'grant.create', grant: { ...grant, names: ['b'], reason } }], reason }),
    await own.callWith({ 'content-type': 'application/yaml' }, 'POST', '/v1/policy/import', file),
    await own.call('POST', '/v1/access-requests', { ...grant, durationSeconds: 60, reason }),
  ];
  expect(made.reason).toMatch(/^as \[redacted:[a-z-]+\] allows$/);
  expect(answers.map(({ status }) => status)).toEqual([204, 200, 200, 201]);
  for (const table of ['revision', 'access_grant', 'access_request', 'policy_row_change', 'audit_event']) {
    const rows = await own.database.$queryRawUnsafe<{ text: string }[]>(`SELECT to_jsonb(t)::text AS text FROM ${table} t`);
    const text = rows.map((row) => row.text).join();
    expect(text, table).not.toContain(secret);
    expect(text, table).not.toContain(Buffer.from(secret).toString('hex'));
    if (table !== 'audit_event') expect(text, table).toContain('as [redacted:');
  }
});

test('a change that fails leaves no revision, no bucket, no audit event and no news', async () => {
  const { revision } = await state();
  const [buckets, events] = [await own.database.dirtyBucket.count(), await own.database.auditEvent.count()];
  let heard = 0;
  const stop = own.app.get(PolicyNews).onCommitted(() => (heard += 1));
  const failing = own.app.get(PolicyChanges).apply({ name: 'test' }, 'test.failed', undefined, async (tx) => {
    await tx.agent.create({ data: { slug: 'half-written', name: 'x' } });
    throw new Error('the change went wrong');
  });
  await expect(failing).rejects.toThrow('the change went wrong');
  stop();
  expect((await state()).revision).toBe(revision);
  expect(heard).toBe(0);
  expect(await own.database.agent.count({ where: { slug: 'half-written' } })).toBe(0);
  expect(await own.database.auditEvent.count()).toBe(events);
  expect(await own.database.dirtyBucket.count()).toBeLessThanOrEqual(buckets);
});

test('a change that a deadlock ended is run again and done once', async () => {
  const one = await own.database.agent.create({ data: { slug: 'dead-one', name: 'x' } });
  const other = await own.database.agent.create({ data: { slug: 'dead-other', name: 'x' } });
  const { revision } = await state();
  let attempts = 0;
  let release = (): void => undefined;
  const firstHasLocked = new Promise<void>((resolve) => (release = resolve));
  const rival = own.database
    .$transaction(
      async (tx) => {
        await tx.agent.update({ where: { id: other.id }, data: { name: 'rival' } });
        await firstHasLocked;
        await tx.agent.update({ where: { id: one.id }, data: { name: 'rival' } });
      },
      { timeout: 30_000 },
    )
    .catch(() => undefined);
  const changed = await own.app.get(PolicyChanges).apply({ name: 'test' }, 'test.deadlock', 'why', async (tx) => {
    attempts += 1;
    await tx.agent.update({ where: { id: one.id }, data: { owner: 'ours' } });
    release();
    await tx.agent.update({ where: { id: other.id }, data: { owner: 'ours' } });
    return { result: 'done', subject: { kind: 'agent', id: one.id }, change: {}, dirty: [] };
  });
  // Postgres picks the victim; whoever it was, the change is done exactly once.
  await rival;
  expect(attempts).toBeGreaterThanOrEqual(1);
  expect(changed).toEqual({ result: 'done', revision: revision + 1 });
  expect(await own.database.revision.count({ where: { action: 'test.deadlock', reason: 'why' } })).toBe(1);
  expect((await own.database.agent.findMany({ where: { owner: 'ours' } })).length).toBe(2);
});

test("operators' actions are numbered without a hole, whatever was rolled back in between", async () => {
  const record = (slug: string) => own.call('POST', '/v1/agents', { slug });
  await Promise.all(['run-a', 'run-b', 'run-a', 'run-c', 'run-b'].map(record));
  const failing = own.app.get(PolicyChanges).apply({ name: 'test' }, 'test.failed', undefined, async () => {
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  await record('run-d');
  const events = await own.database.auditEvent.findMany({ where: { node: CONTROL_PLANE_NODE }, orderBy: { seq: 'asc' } });
  expect(new Set(events.map(({ boot }) => boot)).size).toBe(1);
  expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, place) => place + 1));
});

test('while changes of policy wait for one another, reading and publishing go on', async () => {
  const { promise: isHeld, resolve: holds } = Promise.withResolvers<void>();
  const { promise: letGo, resolve: release } = Promise.withResolvers<void>();
  const held = own.app.get(PolicyChanges).apply({ name: 'test' }, 'test.held', undefined, async () => {
    holds();
    await letGo;
    return { result: 'done', unchanged: true };
  });
  await isHeld;
  const writes = Array.from({ length: 40 }, async (_, at) => own.call('POST', '/v1/groups', { slug: `waits-${at}` }));
  // As many as the pool has connections, and what a round of publishing takes.
  const reads = await Promise.all(Array.from({ length: 10 }, async () => own.call('GET', '/v1/groups')));
  expect(reads.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  await own.app
    .get(SnapshotPublisher)
    .publishOnce()
    .catch((error: Error) => expect(error.message).toContain('at redis'));
  release();
  await held;
  expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 201));
});
