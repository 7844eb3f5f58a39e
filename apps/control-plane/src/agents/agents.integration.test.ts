import { bucketOf } from '@portcullis/contracts/snapshot';
import { bearerMatches, parseBearer } from '@portcullis/secrets';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { foldCalls } from '../audit/fold-calls.js';
import { KeyRing } from '../keys/key-ring.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore } from '../testing/store-calls.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
const lastAction = async () => {
  const event = await own.database.auditEvent.findFirstOrThrow({ orderBy: { seq: 'desc' } });
  return { ...event, detail: JSON.parse(Buffer.from(event.arguments ?? []).toString('utf8')) };
};

test('an agent is created, read by id and by slug, changed, found by text and deleted', async () => {
  const created = await own.call('POST', '/v1/agents', { slug: 'data-agent', owner: 'data_team', reason: 'first' });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ slug: 'data-agent', name: 'data-agent', toolNameStyle: 'double-underscore', enabled: true, groups: [] });
  expect(Number(created.headers['x-policy-revision'])).toBeGreaterThan(0);
  expect(await lastAction()).toMatchObject({
    method: 'operator/agent.created',
    operator: 'admin',
    detail: { subject: { slug: 'data-agent' }, reason: 'first' },
  });

  expect((await own.call('GET', '/v1/agents/data-agent')).body).toEqual(created.body);
  expect((await own.call('GET', `/v1/agents/${created.body.id}`, undefined, own.auditor)).body).toEqual(created.body);
  expect((await own.call('GET', '/v1/agents?q=DATA_T')).body.items).toHaveLength(1);
  expect((await own.call('GET', '/v1/agents?q=data%25')).body.items).toEqual([]);

  const changed = await own.call('PATCH', '/v1/agents/data-agent', { toolNameStyle: 'dot', enabled: false, owner: null });
  expect([changed.status, changed.body]).toMatchObject([200, { toolNameStyle: 'dot', enabled: false, owner: null, name: 'data-agent' }]);
  expect((await lastAction()).detail.change).toEqual({ toolNameStyle: 'dot', enabled: false, owner: null });

  const deleted = await own.call('DELETE', '/v1/agents/data-agent');
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  expect(Number(deleted.headers['x-policy-revision'])).toBe(Number(changed.headers['x-policy-revision']) + 1);
  expect((await own.call('GET', '/v1/agents/data-agent')).status).toBe(404);
});

test('an update that changes nothing makes no revision and no audit event', async () => {
  await own.call('POST', '/v1/agents', { slug: 'still', owner: 'x' });
  const before = await own.call('PATCH', '/v1/agents/still', { owner: 'y' });
  const { seq } = await lastAction();
  for (const body of [{}, { owner: 'y' }, { enabled: true, toolNameStyle: 'double-underscore', reason: 'again' }]) {
    const answer = await own.call('PATCH', '/v1/agents/still', body);
    expect([answer.status, answer.headers['x-policy-revision'], answer.body]).toEqual([200, before.headers['x-policy-revision'], before.body]);
  }
  expect((await lastAction()).seq).toBe(seq);
});

test('of many who want the same slug one gets it', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => own.call('POST', '/v1/agents', { slug: 'wanted' })));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
});

test('a key is shown once, stored only as its keyed hash, listed without it and revoked', async () => {
  const agent = await own.call('POST', '/v1/agents', { slug: 'keyed' });
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const created = await own.call('POST', '/v1/agents/keyed/keys', { name: 'ci', expiresAt });
  expect([created.status, created.body.expiresAt]).toEqual([201, expiresAt]);
  const parts = parseBearer('agent', created.body.key);
  expect(parts?.id).toBe(created.body.id);

  const row = await own.database.agentKey.findUniqueOrThrow({ where: { id: created.body.id } });
  const pepper = own.app.get(KeyRing).pepper(row.pepperId);
  expect(bearerMatches(pepper ?? new Uint8Array(), parts?.secret ?? '', row.hash)).toBe(true);
  const everything = JSON.stringify([row, await own.database.revision.findMany(), (await lastAction()).detail]);
  expect(everything).not.toContain(parts?.secret);
  expect(JSON.stringify((await lastAction()).detail)).not.toContain(row.hash);

  const listed = await own.call('GET', '/v1/agents/keyed/keys');
  expect(listed.body.items).toEqual([
    { id: created.body.id, name: 'ci', createdAt: created.body.createdAt, expiresAt, revokedAt: null, lastUsedAt: null },
  ]);

  const revoked = await own.call('DELETE', `/v1/agents/keyed/keys/${created.body.id}`);
  expect(revoked.status).toBe(204);
  const again = await own.call('DELETE', `/v1/agents/keyed/keys/${created.body.id}`);
  expect([again.status, again.headers['x-policy-revision']]).toEqual([204, revoked.headers['x-policy-revision']]);
  expect((await own.call('GET', '/v1/agents/keyed/keys')).body.items[0].revokedAt).not.toBeNull();
  const revisions = await own.database.revision.findMany({ where: { action: { startsWith: 'agent-key' } } });
  expect(revisions.map(({ action }) => action).sort()).toEqual(['agent-key.created', 'agent-key.revoked']);
  expect(bucketOf(agent.body.id)).toBeLessThan(1024);
});

test('a key that would be dead at birth, or of another agent, is refused', async () => {
  await own.call('POST', '/v1/agents', { slug: 'other' });
  const past = await own.call('POST', '/v1/agents/other/keys', { expiresAt: '2020-01-01T00:00:00Z' });
  expect([past.status, past.body.errors[0].pointer]).toEqual([400, '/expiresAt']);
  const { body } = await own.call('POST', '/v1/agents/keyed/keys', {});
  expect((await own.call('DELETE', `/v1/agents/other/keys/${body.id}`)).status).toBe(404);
});

test('a rotated key goes on for the overlap and no longer, beside another that is shown once', async () => {
  await own.call('POST', '/v1/agents', { slug: 'rotated' });
  const first = (await own.call('POST', '/v1/agents/rotated/keys', { name: 'ci', expiresAt: inHours(10) })).body;
  const answer = await own.call('POST', `/v1/agents/rotated/keys/${first.id}/rotate`, { overlapSeconds: 3600, reason: 'quarterly' });
  expect([answer.status, answer.body]).toMatchObject([201, { name: 'ci', revokedAt: null, replaced: { id: first.id, revokedAt: null } }]);
  expect(parseBearer('agent', answer.body.key)?.id).toBe(answer.body.id);
  const hoursTo = (time: string): number => Math.round((Date.parse(time) - Date.now()) / 360_000) / 10;
  expect([answer.body.replaced.expiresAt, answer.body.expiresAt].map(hoursTo)).toEqual([1, 10]);
  const { detail, method } = await lastAction();
  expect([method, detail.reason, detail.change.replacedKeyId]).toEqual(['operator/agent-key.rotated', 'quarterly', first.id]);
  expect(JSON.stringify(await own.database.revision.findMany())).not.toContain(parseBearer('agent', answer.body.key)?.secret);

  // An overlap makes no key live longer, and none ends it at once.
  const again = await own.call('POST', `/v1/agents/rotated/keys/${answer.body.id}/rotate`, { overlapSeconds: 2_592_000, expiresAt: null });
  expect([again.body.replaced.expiresAt, again.body.expiresAt]).toEqual([answer.body.expiresAt, null]);
  const last = await own.call('POST', `/v1/agents/rotated/keys/${again.body.id}/rotate`, { overlapSeconds: 0 });
  expect(Date.parse(last.body.replaced.expiresAt)).toBeLessThanOrEqual(Date.now());
  expect((await own.call('POST', `/v1/agents/rotated/keys/${again.body.id}/rotate`, {})).status).toBe(409);
  await own.call('DELETE', `/v1/agents/rotated/keys/${last.body.id}`);
  expect((await own.call('POST', `/v1/agents/rotated/keys/${last.body.id}/rotate`, {})).status).toBe(409);
  expect((await own.call('POST', '/v1/agents/rotated/keys/nobodys/rotate', {})).status).toBe(404);
});

test('a key says in which minute it was last called with, and one that never was says nothing', async () => {
  await own.call('POST', '/v1/agents', { slug: 'busy' });
  const [used, unused] = [await own.call('POST', '/v1/agents/busy/keys', {}), await own.call('POST', '/v1/agents/busy/keys', {})];
  const before = await own.database.revision.count();
  const at = (time: string) => ({ agent: 'busy', keyId: used.body.id, at: new Date(time) });
  await callStore(own.database)([at('2026-11-20T10:15:42Z'), at('2026-11-20T10:15:59Z'), at('2026-11-20T09:00:00Z'), { keyId: 'nobodys' }]);
  const uses = async () => {
    await own.database.$transaction(foldCalls);
    const { items } = (await own.call('GET', '/v1/agents/busy/keys')).body;
    return Object.fromEntries(items.map(({ id, lastUsedAt }: { id: string; lastUsedAt: string | null }) => [id, lastUsedAt]));
  };
  const expected = { [used.body.id]: '2026-11-20T10:15:00.000Z', [unused.body.id]: null };
  await vi.waitFor(async () => expect(await uses()).toEqual(expected), { timeout: 20_000, interval: 50 });
  expect(await own.database.revision.count()).toBe(before);
  await own.call('DELETE', '/v1/agents/busy');
  expect(await own.database.agentKeyUse.count()).toBe(0);
});

test('pages follow one another without a gap or a repetition while agents come and go', async () => {
  const slugs = Array.from({ length: 25 }, (_, at) => `page-${String(at).padStart(2, '0')}`);
  await Promise.all(slugs.map((slug) => own.call('POST', '/v1/agents', { slug })));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body, status } = await own.call('GET', `/v1/agents?q=page-&limit=7${next}`);
    expect(status).toBe(200);
    seen.push(...body.items.map(({ slug }: { slug: string }) => slug));
    cursor = body.nextCursor;
    await own.call('DELETE', `/v1/agents/${seen[0]}`);
    await own.call('POST', '/v1/agents', { slug: `page-0${seen.length}-new` });
  } while (cursor !== null);
  expect(seen.filter((slug) => slugs.includes(slug))).toEqual(slugs);
  expect(new Set(seen).size).toBe(seen.length);
});

test('a write that waits for all nodes answers when the live ones have it, and does not wait for dead ones', async () => {
  const node = { keyHash: 'x', pepperId: 'x', sealingPublicKey: 'x' };
  const dead = new Date(Date.now() - 60_000);
  await own.database.node.create({ data: { ...node, name: 'dead', keyId: 'dead', epoch: 1, appliedRevision: 0, lastSeenAt: dead } });
  await own.database.node.create({ data: { ...node, name: 'far', keyId: 'far', epoch: 1, appliedRevision: 1_000_000, lastSeenAt: new Date() } });
  const answer = await own.call('POST', '/v1/agents?wait=all', { slug: 'waited-for' });
  expect(answer.status).toBe(201);
  expect((await own.call('POST', '/v1/agents?wait=some', { slug: 'never' })).status).toBe(400);
  expect((await own.call('GET', '/v1/agents/never')).status).toBe(404);

  await own.database.node.create({
    data: { ...node, name: 'lagging', keyId: 'lagging', epoch: 1, appliedRevision: 0, lastSeenAt: new Date(Date.now() + 60_000) },
  });
  const late = await own.call('POST', '/v1/agents?wait=all&timeout=1', { slug: 'late' });
  expect([late.status, late.headers['x-policy-lagging'], late.body.slug]).toEqual([202, 'lagging', 'late']);
  expect((await own.call('POST', '/v1/agents?wait=all&timeout=0', { slug: 'never' })).status).toBe(400);
  let answered = false;
  const waiting = own.call('POST', '/v1/agents?wait=all', { slug: 'waits' }).finally(() => (answered = true));
  await vi.waitFor(async () => expect((await own.call('GET', '/v1/agents/waits')).status).toBe(200), { timeout: 20_000 });
  expect(answered).toBe(false);
  await own.database.node.updateMany({ where: { name: 'lagging' }, data: { appliedRevision: 1_000_000 } });
  expect((await waiting).status).toBe(201);
});
