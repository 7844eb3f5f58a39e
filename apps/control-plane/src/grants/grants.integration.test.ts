import { USUAL_CAPTURE } from '@portcullis/contracts/capture';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'data-agent' });
  await own.call('POST', '/v1/groups', { slug: 'team' });
  for (const slug of ['github', 'slack']) await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp` } });
});
afterAll(() => own.close());

test('a grant is written, listed by its agent, group and server, changed and deleted', async () => {
  const created = await own.call('POST', '/v1/grants', { agent: 'data-agent', server: 'github', names: ['a', 'a', 'b*'], reason: 'ticket 7' });
  expect([created.status, created.body]).toMatchObject([
    201,
    {
      subject: { agent: 'data-agent' },
      server: 'github',
      kind: 'tools',
      names: ['a', 'b*'],
      effect: 'allow',
      reason: 'ticket 7',
      createdBy: 'admin',
    },
  ]);
  const ofGroup = await own.call('POST', '/v1/grants', { group: 'team', server: 'slack', kind: 'prompts', names: ['*'], effect: 'deny' });
  expect(ofGroup.body).toMatchObject({ subject: { group: 'team' }, kind: 'prompts', effect: 'deny' });

  const ids = async (query: string) => (await own.call('GET', `/v1/grants${query}`)).body.items.map(({ id }: { id: string }) => id);
  expect(await ids('')).toEqual([created.body.id, ofGroup.body.id]);
  expect(await ids('?agent=data-agent')).toEqual([created.body.id]);
  expect(await ids('?group=team')).toEqual([ofGroup.body.id]);
  expect(await ids('?server=slack')).toEqual([ofGroup.body.id]);
  expect(await ids('?server=slack&agent=data-agent')).toEqual([]);
  expect((await own.call('GET', `/v1/grants/${created.body.id}`, undefined, own.auditor)).body).toEqual(created.body);

  const path = `/v1/grants/${created.body.id}`;
  const changed = await own.call('PATCH', path, { names: ['c'], expiresAt: '2099-01-01T00:00:00.000Z' });
  expect(changed.body).toMatchObject({ names: ['c'], expiresAt: '2099-01-01T00:00:00.000Z', reason: 'ticket 7' });
  const same = await own.call('PATCH', path, { names: ['c'] });
  expect(same.headers['x-policy-revision']).toBe(changed.headers['x-policy-revision']);
  expect((await own.call('PATCH', path, { notBefore: '2099-01-01T00:00:00Z' })).status).toBe(400);
  const moved = await own.call('PATCH', path, { selector: {}, agent: 'other' });
  expect([moved.status, moved.body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([400, ['/selector', '/agent']]);
  expect(moved.body.errors[0].detail).toContain('delete it and create another');
  expect((await own.call('PATCH', path, { nonsense: 1 })).body.errors).toEqual([{ pointer: '/nonsense', detail: 'is unknown' }]);

  expect((await own.call('DELETE', path)).status).toBe(204);
  expect((await own.call('DELETE', path)).status).toBe(404);
});

test('revisions tell every change, newest first, and are read one by one', async () => {
  const { body } = await own.call('GET', '/v1/revisions?limit=2', undefined, own.auditor);
  expect(body.items[0]).toMatchObject({
    author: 'admin',
    action: 'grant.deleted',
    change: { subject: { kind: 'grant' }, change: { names: ['c'], deleted: true } },
  });
  expect(body.items[0].revision).toBe(body.items[1].revision + 1);
  const { body: rest } = await own.call('GET', `/v1/revisions?cursor=${body.nextCursor}`);
  expect(rest.items[0].revision).toBe(body.items[1].revision - 1);
  const { publishedAt: _published, ...listed } = body.items[0];
  expect((await own.call('GET', `/v1/revisions/${body.items[0].revision}`)).body).toMatchObject(listed);
});

test('settings are read and changed; out of bounds they are refused', async () => {
  const before = await own.call('GET', '/v1/settings', undefined, own.auditor);
  expect(before.body).toEqual({
    staleAfterSeconds: 3600,
    auditRelease: 'queue',
    auditLists: true,
    auditArgumentBytesMax: 65536,
    auditCapture: USUAL_CAPTURE,
    publicUrl: null,
    tokenIssuers: [],
  });
  const changed = await own.call('PATCH', '/v1/settings', { staleAfterSeconds: 60, auditRelease: 'both' });
  expect([changed.status, changed.body]).toEqual([200, { ...before.body, staleAfterSeconds: 60, auditRelease: 'both' }]);
  const same = await own.call('PATCH', '/v1/settings', { staleAfterSeconds: 60 });
  expect(same.headers['x-policy-revision']).toBe(changed.headers['x-policy-revision']);
  expect((await own.call('PATCH', '/v1/settings', { staleAfterSeconds: 10 })).status).toBe(400);
  expect((await own.call('PATCH', '/v1/settings', { staleAfterSeconds: 60 }, own.auditor)).status).toBe(403);
});
