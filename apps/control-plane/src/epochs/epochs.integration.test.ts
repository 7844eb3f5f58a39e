import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;

beforeAll(async () => {
  own = await startTestApp();
});
afterAll(async () => own.close());

test('an operator says with a reason that the restored policy counts; until then nothing can be changed', async () => {
  await own.call('POST', '/v1/agents', { slug: 'one' });
  expect((await own.call('GET', '/v1/epochs/current')).body).toEqual({ epoch: 1, revision: 1, ahead: null });
  await own.database.policyState.update({ where: { id: 1 }, data: { aheadEpoch: 3, aheadRevision: 70 } });
  expect((await own.call('GET', '/v1/epochs/current', undefined, own.auditor)).body).toEqual({
    epoch: 1,
    revision: 1,
    ahead: { epoch: 3, revision: 70 },
  });
  const refused = await own.call('POST', '/v1/agents', { slug: 'two' });
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('/v1/epochs')]);

  expect((await own.call('POST', '/v1/epochs', {})).status).toBe(400);
  expect((await own.call('POST', '/v1/epochs', { reason: '' })).status).toBe(400);
  expect((await own.call('POST', '/v1/epochs', { reason: 'x' }, own.auditor)).status).toBe(403);
  expect((await own.call('POST', '/v1/epochs', { reason: 'x' }, null)).status).toBe(401);
  const begun = await own.call('POST', '/v1/epochs', { reason: 'Backup of 02:00' });
  expect([begun.status, begun.body, begun.headers['x-policy-revision']]).toEqual([201, { epoch: 4, revision: 2, ahead: null }, '2']);
  expect((await own.call('GET', '/v1/revisions/2')).body).toMatchObject({ action: 'epoch.created', reason: 'Backup of 02:00' });
  const event = await own.database.auditEvent.findFirstOrThrow({ orderBy: { seq: 'desc' } });
  expect(event).toMatchObject({ method: 'operator/epoch.created', epoch: 4, revision: 2 });
  expect((await own.call('POST', '/v1/agents', { slug: 'two' })).status).toBe(201);
});
