import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../create-app.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

test('the first start makes one administrator, whose token lies in a file of its owner alone; the next start makes none', async () => {
  expect((await stat(own.config.bootstrapTokenFile ?? '')).mode & 0o777).toBe(0o600);
  const again = await createApp(own.config, false);
  await again.close();
  expect(await own.database.operator.count({ where: { name: 'admin' } })).toBe(1);
  expect((await own.call('GET', '/v1/operators/admin')).body).toMatchObject({ name: 'admin', role: 'admin', enabled: true });
  const event = await own.database.auditEvent.findFirstOrThrow({ where: { method: 'operator/operator.created' } });
  expect(event.operator).toBe('portcullis/first-start');
});

test('an operator gets a token that opens the door until it is revoked', async () => {
  const created = await own.call('POST', '/v1/operators', { name: 'ada@example.com', role: 'auditor' });
  expect([created.status, created.body.role]).toEqual([201, 'auditor']);
  expect((await own.call('POST', '/v1/operators', { name: 'ada@example.com', role: 'admin' })).status).toBe(409);
  const path = `/v1/operators/${created.body.id}/tokens`;
  const { status, body } = await own.call('POST', path, {});
  expect(status).toBe(201);
  expect((await own.call('GET', '/v1/agents', undefined, body.token)).status).toBe(200);
  expect((await own.call('POST', '/v1/operators', { name: 'eve', role: 'admin' }, body.token)).status).toBe(403);
  const listed = await own.call('GET', path);
  expect(listed.text).not.toContain(body.token.slice(-20));
  expect(listed.body.items).toMatchObject([{ id: body.id, revokedAt: null }]);
  expect((await own.call('DELETE', `${path}/${body.id}`)).status).toBe(204);
  expect((await own.call('DELETE', `${path}/${body.id}`)).status).toBe(204);
  expect((await own.call('DELETE', `${path}/nothing`)).status).toBe(404);
  expect((await own.call('GET', '/v1/agents', undefined, body.token)).status).toBe(401);
  const trail = JSON.stringify(
    (await own.database.auditEvent.findMany({ where: { operator: 'admin' } })).map((event) => Buffer.from(event.arguments ?? []).toString()),
  );
  expect(trail).toContain(body.id);
  expect(trail).not.toContain(body.token.slice(-40));
});

test('a token past its time and the token of a disabled operator open nothing', async () => {
  await own.call('POST', '/v1/operators', { name: 'bob', role: 'admin' });
  const { body } = await own.call('POST', '/v1/operators/bob/tokens', { expiresAt: '2099-01-01T00:00:00Z' });
  expect((await own.call('GET', '/v1/agents', undefined, body.token)).status).toBe(200);
  await own.database.operatorToken.update({ where: { id: body.id }, data: { expiresAt: new Date(Date.now() - 1) } });
  expect((await own.call('GET', '/v1/agents', undefined, body.token)).status).toBe(401);
  const fresh = await own.call('POST', '/v1/operators/bob/tokens', {});
  expect((await own.call('PATCH', '/v1/operators/bob', { enabled: false })).body.enabled).toBe(false);
  expect((await own.call('GET', '/v1/agents', undefined, fresh.body.token)).status).toBe(401);
  expect((await own.call('POST', '/v1/operators/bob/tokens', { expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(400);
  expect((await own.call('DELETE', '/v1/operators/bob')).status).toBe(204);
  expect((await own.call('GET', '/v1/operators/bob')).status).toBe(404);
});

test('the last enabled administrator stays, even when two requests at once would take the last two', async () => {
  for (const change of [{ role: 'auditor' }, { enabled: false }]) expect((await own.call('PATCH', '/v1/operators/admin', change)).status).toBe(409);
  expect((await own.call('DELETE', '/v1/operators/admin')).status).toBe(409);
  await own.call('POST', '/v1/operators', { name: 'second', role: 'admin' });
  const answers = await Promise.all(['admin', 'second'].map((name) => own.call('PATCH', `/v1/operators/${name}`, { role: 'auditor' })));
  // The loser may find itself demoted before its request is let in.
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await own.database.operator.count({ where: { role: 'admin', enabled: true } })).toBe(1);
});
