import { TASK_KEY_AAD, TASK_KEY_PREFIX, TASK_KEY_PURPOSE, TaskKeyContent } from '@portcullis/contracts/task-keys';
import { createSealer, deriveKey } from '@portcullis/secrets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'worker', owner: 'admin' });
});
afterAll(() => own.close());

const wish = { task: 'ticket-7', tools: ['github:create_issue'], ttlSeconds: 60 };

test('a key for a task needs a key of its agent to belong to', async () => {
  const answer = await own.call('POST', '/v1/agents/worker/task-keys', wish);
  expect([answer.status, answer.body.detail]).toEqual([422, expect.stringContaining('has no key')]);
});

test('a key for a task opens with what nodes have, belongs to the newest live key, and is on record without itself', async () => {
  const parent = await own.call('POST', '/v1/agents/worker/keys', {});
  const revoked = await own.call('POST', '/v1/agents/worker/keys', {});
  await own.call('DELETE', `/v1/agents/worker/keys/${revoked.body.id}`);
  const { status, body } = await own.call('POST', '/v1/agents/worker/task-keys', wish);
  expect(status).toBe(201);
  expect(body).toMatchObject({ task: 'ticket-7', agent: 'worker', parentKeyId: parent.body.id });
  const [session] = own.app.get(KeyRing).nodeKeys().session;
  const current = { id: session?.keyId ?? '', key: deriveKey(Buffer.from(session?.secret ?? '', 'base64url'), TASK_KEY_PURPOSE) };
  const opened = createSealer({ current }).open(body.key.slice(TASK_KEY_PREFIX.length), TASK_KEY_AAD).toString();
  expect(TaskKeyContent.parse(JSON.parse(opened))).toMatchObject({ id: body.id, parentKeyId: parent.body.id, within: [{ tools: wish.tools }] });
  const event = await own.database.auditEvent.findFirstOrThrow({ where: { method: 'operator/task-key.created' } });
  const detail = Buffer.from(event.arguments ?? []).toString();
  expect(JSON.parse(detail)).toMatchObject({ subject: { slug: 'worker' }, change: { id: body.id, task: 'ticket-7' } });
  expect(detail).not.toContain(body.key.slice(-40));
  expect((await own.call('GET', '/v1/agents', undefined, body.key)).status).toBe(401);
});

test('only who may change agents, or owns this one, makes keys for its tasks', async () => {
  expect((await own.call('POST', '/v1/agents/worker/task-keys', wish, own.auditor)).status).toBe(403);
  const viewer = await own.call('POST', '/v1/operators', { name: 'vera', role: 'viewer' });
  const { token } = (await own.call('POST', `/v1/operators/${viewer.body.id}/tokens`, {})).body;
  expect((await own.call('POST', '/v1/agents/worker/task-keys', wish, token)).status).toBe(403);
  for (const owner of ['Vera', 'team, Vera <vera>']) {
    await own.call('PATCH', '/v1/agents/worker', { owner });
    expect((await own.call('POST', '/v1/agents/worker/task-keys', wish, token)).status, owner).toBe(201);
  }
});

test('a wish that names nothing, or for longer than a day, is refused', async () => {
  for (const more of [{ tools: undefined }, { ttlSeconds: 86_401 }, { tools: ['create_issue'] }, { task: 'a b' }])
    expect((await own.call('POST', '/v1/agents/worker/task-keys', { ...wish, ...more })).status).toBe(400);
  expect((await own.call('POST', '/v1/agents/nobody/task-keys', wish)).status).toBe(404);
});
