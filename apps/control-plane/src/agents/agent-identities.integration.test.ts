import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAgents } from '../snapshots/snapshot-rows.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

const issuer = 'https://login.example.com';
let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  for (const slug of ['one', 'other']) await own.call('POST', '/v1/agents', { slug });
});
afterAll(() => own.close());

const revision = ({ headers }: { headers: Readonly<Record<string, unknown>> }): number => Number(headers['x-policy-revision']);

test('what an issuer calls an agent is kept for that agent alone, is part of what nodes get, and can be taken back', async () => {
  const made = await own.call('POST', '/v1/agents/one/identities', { issuer, subject: 'client-1', reason: 'signs in' });
  expect([made.status, made.body]).toMatchObject([201, { issuer, subject: 'client-1' }]);
  expect((await own.call('GET', '/v1/agents/one/identities', undefined, own.auditor)).body.items).toEqual([made.body]);
  expect((await own.call('POST', '/v1/agents/other/identities', { issuer, subject: 'client-1' })).status).toBe(409);
  expect((await own.call('POST', '/v1/agents/other/identities', { issuer: `${issuer}/`, subject: 'client-1' })).status).toBe(201);

  const { id } = (await own.call('GET', '/v1/agents/one')).body as { id: string };
  const rows = await own.database.$transaction((tx) => readAgents(tx, [bucketOf(id)]));
  expect(rows.find((row) => row.id === id)?.identities).toEqual([{ issuer, subject: 'client-1' }]);

  expect((await own.call('DELETE', `/v1/agents/other/identities/${made.body.id}`)).status).toBe(404);
  const gone = await own.call('DELETE', `/v1/agents/one/identities/${made.body.id}`);
  expect([gone.status, revision(gone) > revision(made)]).toEqual([204, true]);
  expect((await own.call('GET', '/v1/agents/one/identities')).body.items).toEqual([]);

  const reverted = await own.call('POST', `/v1/revisions/${revision(gone)}/revert`, { reason: 'taken back' });
  expect(reverted.status, reverted.text).toBeLessThan(300);
  expect((await own.call('GET', '/v1/agents/one/identities')).body.items).toMatchObject([{ id: made.body.id, issuer, subject: 'client-1' }]);
});

test.each([
  ['http where somebody could listen', 'http://login.example.com'],
  ['a fragment', `${issuer}#x`],
  ['a query', `${issuer}?x`],
  ['a password', 'https://user:password@login.example.com'],
  ['no URL', 'login.example.com'],
])('an issuer with %s is refused', async (_what, wrong) => {
  expect((await own.call('POST', '/v1/agents/one/identities', { issuer: wrong, subject: 's' })).status).toBe(400);
});

test('issuers are trusted by the settings, once each, for an address of ours, and never for what is no signature', async () => {
  const set = (body: object) => own.call('PATCH', '/v1/settings', body);
  expect((await set({ tokenIssuers: [{ issuer }] })).status).toBe(422);
  expect((await set({ publicUrl: 'https://gateway.example.com/mcp' })).status).toBe(400);
  const { status, body } = await set({ publicUrl: 'https://gateway.example.com', tokenIssuers: [{ issuer }] });
  expect([status, body.tokenIssuers]).toMatchObject([200, [{ issuer, agentClaim: 'client_id', subjectClaim: 'sub', requiredScopes: [] }]]);
  for (const algorithms of [['none'], ['HS256'], []]) expect((await set({ tokenIssuers: [{ issuer, algorithms }] })).status).toBe(400);
  expect((await set({ tokenIssuers: [{ issuer }, { issuer }] })).status).toBe(400);
  expect((await set({ publicUrl: null })).status).toBe(422);
  // A change of something else leaves them as they are.
  expect((await set({ auditLists: false })).body).toMatchObject({ publicUrl: 'https://gateway.example.com', tokenIssuers: [{ issuer }] });
  expect((await own.call('PATCH', '/v1/settings', { tokenIssuers: [] }, own.auditor)).status).toBe(403);
});
