import { randomBytes } from 'node:crypto';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { readServers } from '../snapshots/snapshot-rows.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { stopLoop } from '../testing/stop-loop.js';
import { CredentialResealer } from './credential-resealer.js';
import { CredentialVault } from './credential-vault.js';

let own: TestApp;
const before = randomBytes(32);
beforeAll(async () => {
  own = await startTestApp({ previousMasterKey: before });
  await stopLoop(own, CredentialResealer);
});
afterAll(() => own.close());

const waiting = async (purpose: string): Promise<[keys: number, waiting: number]> => {
  const found = (await own.call('GET', '/v1/keys')).body.items.find((one: { purpose: string }) => one.purpose === purpose);
  return [found.keys.length, found.waiting];
};
const rotate = (purpose: string, body: object = {}) => own.call('POST', `/v1/keys/${purpose}/rotate`, body);
const opens = async (id: string): Promise<string> =>
  JSON.stringify(own.app.get(CredentialVault).open(await own.database.credential.findUniqueOrThrow({ where: { id } })));

test('keys rotate without downtime: what was sealed before opens all the time, and is sealed anew behind it', async () => {
  const { body: server } = await own.call('POST', '/v1/servers', { slug: 's', url: 'https://mcp.example.com/mcp' });
  const credential = { kind: 'headers', headers: [{ name: 'x-key', value: 'canary-of-rotation' }] };
  const { body } = await own.call('POST', '/v1/credentials', { server: 's', credential });
  // More often than any generation would last by its number.
  for (let times = 1; times <= 3; times += 1) {
    expect((await rotate('sealing')).status).toBe(200);
    expect((await rotate('credential')).status).toBe(200);
    expect(await opens(body.id)).toContain('canary-of-rotation');
  }
  expect([await waiting('sealing'), await waiting('credential')]).toEqual([
    [3, 1],
    [3, 1],
  ]);

  const resealer = own.app.get(CredentialResealer);
  await resealer.run();
  // Nodes that have not fetched the newest key yet could not open what is sealed under it.
  expect([(await waiting('sealing'))[1], (await waiting('credential'))[1]]).toEqual([0, 1]);
  const { _max } = await own.database.revision.aggregate({ _max: { revision: true } });
  await resealer.run(0);
  expect((await waiting('credential'))[1]).toBe(0);
  const revisions = await own.database.revision.findMany({ where: { revision: { gt: _max.revision ?? 0 } } });
  expect(revisions.map(({ author, action }) => [author, action])).toEqual([['portcullis/keys', 'credentials.resealed']]);
  expect(
    await own.database.dirtyBucket.count({ where: { kind: 'servers', bucket: bucketOf(server.id), revision: revisions[0]?.revision ?? 0 } }),
  ).toBe(1);
  expect(await opens(body.id)).toContain('canary-of-rotation');
  const row = (await own.database.$transaction((tx) => readServers(tx, [bucketOf(server.id)]))).find(({ id }) => id === server.id);
  expect(row?.credentials?.[0]?.sealedForNodes).toContain(`.${own.app.get(KeyRing).newestId('credential')}.`);
  await resealer.run(0);
  expect(await own.database.revision.count({ where: { action: 'credentials.resealed' } })).toBe(1);

  await rotate('sealing');
  expect((await waiting('sealing'))[0]).toBe(2); // what nothing needs any more is retired
});

test('a node that is deleted takes no key with it that anything is sealed under from then on', async () => {
  const newest = () => ['credential', 'session'].map((purpose) => own.app.get(KeyRing).newestId(purpose as 'session'));
  const old = newest();
  const row = await own.database.node.create({ data: { name: 'gone', keyId: 'k', keyHash: 'h', pepperId: 'p', sealingPublicKey: 'x' } });
  expect((await own.call('DELETE', `/v1/nodes/${row.id}`)).status).toBe(204);
  expect(newest().filter((id) => old.includes(id))).toEqual([]);
});

test('older session keys can be ended at once, those of other purposes cannot', async () => {
  await rotate('session');
  expect((await waiting('session'))[0]).toBeGreaterThan(1);
  expect((await rotate('session', { endOlder: true })).body.keys.length).toBe(1);
  expect((await rotate('sealing', { endOlder: true })).status).toBe(422);
  expect((await rotate('magic')).status).toBe(400);
  expect((await own.call('POST', '/v1/keys/session/rotate', {}, own.auditor)).status).toBe(403);
  expect((await own.call('GET', '/v1/keys')).text).not.toContain('secret');
});

test('keys are sealed anew under the master key on record, once, by whoever may rotate them', async () => {
  const master = async () => (await own.call('GET', '/v1/keys')).body.master;
  expect((await master()).waiting).toBe(0);
  const ring = await KeyRing.open(own.database, before, own.config.masterKey);
  const keys = await own.database.$transaction((tx) => ring.sealAnew(tx));
  expect((await master()).waiting).toBe(keys);
  expect((await own.call('POST', '/v1/keys/master/reseal', undefined, own.auditor)).status).toBe(403);
  for (let round = 0; round < 2; round += 1) {
    const answer = await own.call('POST', '/v1/keys/master/reseal');
    expect([answer.status, answer.body]).toEqual([200, { keyId: expect.stringMatching(/^[0-9a-f]{16}$/), waiting: 0 }]);
  }
  expect(await own.database.auditEvent.count({ where: { method: 'operator/master-key.replaced' } })).toBe(1);
});
