import { NodeKeys, nodeKeysAad } from '@portcullis/contracts/node';
import { SnapshotHead } from '@portcullis/contracts/snapshot';
import { newNodeKeyPair, openWith, verifyBytes } from '@portcullis/secrets';
import { openHead } from '@portcullis/snapshot';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { AppliedEverywhere } from '../changes/applied-everywhere.js';
import { KeyRing } from '../keys/key-ring.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

const boot = '0199aaaa-0000-7000-8000-000000000001';
const otherBoot = '0199aaaa-0000-7000-8000-000000000002';
const fixedToken = 'a-fixed-token-for-compose-files';
let own: TestApp;

beforeAll(async () => {
  own = await startTestApp({ joinToken: fixedToken });
});
afterAll(() => own.close());

const joinToken = async (): Promise<string> => (await own.call('POST', '/v1/nodes/join-tokens', {})).body.token;

async function enrol(name: string, token?: string) {
  const pair = newNodeKeyPair();
  const answer = await own.call('POST', '/v1/node/enrol', { name, sealingPublicKey: pair.publicKey }, token ?? (await joinToken()));
  return { pair, answer, key: answer.body?.nodeKey as string, id: answer.body?.nodeId as string };
}

const status = { boot, version: '0.1.0', url: null, epoch: 1, appliedRevision: 0, policyAgeMs: 5, refused: null, audit: [] };

test('a node enrols with a join token and opens the keys that were sealed to it', async () => {
  const { pair, answer, id } = await enrol('node-a');
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toBe('no-store');
  const keys = NodeKeys.parse(JSON.parse(openWith(pair.privateKey, answer.body.sealedKeys, nodeKeysAad(id)).toString()));
  expect(keys).toEqual(own.app.get(KeyRing).nodeKeys());
  expect(JSON.stringify(answer.body)).not.toContain(keys.session[0]?.secret);
});

test('a node follows policy and reports over its own door', async () => {
  const { key, pair, id } = await enrol('node-b');
  const keys = await own.call('GET', '/v1/node/keys', undefined, key);
  const ring = NodeKeys.parse(JSON.parse(openWith(pair.privateKey, keys.body.sealedKeys, nodeKeysAad(id)).toString()));
  const signed = await vi.waitFor(async () => {
    const answer = await own.call('GET', '/v1/node/head', undefined, key);
    expect(answer.status).toBe(200);
    return answer.body;
  }, 20_000);
  const head = openHead(signed, (keyId, body, signature) => {
    const signing = ring.signing.find((candidate) => candidate.keyId === keyId);
    return signing && verifyBytes(signing.publicKey, body, signature);
  });
  const root = await own.call('GET', `/v1/node/chunks/${head.rootDigest}`, undefined, key);
  expect(root.body).toMatchObject({ revision: head.revision });
  const report = await own.call('POST', '/v1/node/status', status, key);
  expect(report.status).toBe(200);
  expect(SnapshotHead.parse(JSON.parse(report.body.head.body)).rootDigest).toBe(head.rootDigest);
  const listed = (await own.call('GET', '/v1/nodes')).body.items.find((node: { name: string }) => node.name === 'node-b');
  expect(listed).toMatchObject({ live: true, appliedRevision: 0, version: '0.1.0', refused: null });
});

test('whoever waits for all nodes is woken by what the last of them reports', async () => {
  const { key, id } = await enrol('node-waited-for');
  await own.call('POST', '/v1/node/status', status, key);
  await own.database.node.updateMany({ where: { id: { not: id } }, data: { lastSeenAt: null } });
  const look = vi.spyOn(own.database.node, 'findMany');
  onTestFinished(() => look.mockRestore());
  const hour = 3_600_000;
  const waited = own.app.get(AppliedEverywhere).wait(1_000_000, hour, hour);
  await vi.waitFor(() => expect(look).toHaveBeenCalled());
  await own.call('POST', '/v1/node/status', { ...status, appliedRevision: 999_999 }, key);
  await own.call('POST', '/v1/node/status', { ...status, appliedRevision: 1_000_000 }, key);
  expect(await waited).toEqual([]);
});

test('a refused head is shown to operators', async () => {
  const { key } = await enrol('node-refusing');
  await own.call('POST', '/v1/node/status', { ...status, refused: { revision: 7, reason: 'signature_invalid' } }, key);
  const { items } = (await own.call('GET', '/v1/nodes?limit=200')).body;
  expect(items.find((node: { name: string }) => node.name === 'node-refusing').refused).toEqual({ revision: 7, reason: 'signature_invalid' });
});

test('enrolling again under a known name keeps the node and replaces its key', async () => {
  const first = await enrol('node-c');
  const second = await enrol('node-c');
  expect(second.id).toBe(first.id);
  expect((await own.call('GET', '/v1/node/keys', undefined, first.key)).status).toBe(401);
  expect((await own.call('GET', '/v1/node/keys', undefined, second.key)).status).toBe(200);
});

test('the fixed join token lets nodes in, and a wrong, expired or foreign token does not', async () => {
  expect((await enrol('node-d', fixedToken)).answer.status).toBe(200);
  expect((await enrol('node-e', `${fixedToken}x`)).answer.status).toBe(401);
  expect((await enrol('node-e', own.admin)).answer.status).toBe(401);
  const token = await joinToken();
  expect((await enrol('node-e', `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`)).answer.status).toBe(401);
  await own.database.joinToken.updateMany({ data: { expiresAt: new Date(0) } });
  expect((await enrol('node-e', token)).answer.status).toBe(401);
});

test('nodes, joiners and operators pass only their own doors', async () => {
  const { key } = await enrol('node-f');
  for (const path of ['/v1/node/keys', '/v1/node/head', `/v1/node/chunks/${'0'.repeat(64)}`]) {
    expect((await own.call('GET', path, undefined, own.admin)).status).toBe(401);
    expect((await own.call('GET', path, undefined, null)).status).toBe(401);
  }
  expect((await own.call('GET', '/v1/nodes', undefined, key)).status).toBe(401);
  expect((await own.call('POST', '/v1/node/enrol', { name: 'x', sealingPublicKey: 'x' }, key)).status).toBe(401);
  expect((await own.call('POST', '/v1/nodes/join-tokens', {}, own.auditor)).status).toBe(403);
  expect((await own.call('GET', '/v1/nodes', undefined, own.auditor)).status).toBe(200);
});

test('a removed node is a stranger', async () => {
  const { key, id } = await enrol('node-g');
  expect((await own.call('DELETE', `/v1/nodes/${id}`)).status).toBe(204);
  expect((await own.call('POST', '/v1/node/status', status, key)).status).toBe(401);
  expect((await own.call('DELETE', `/v1/nodes/${id}`)).status).toBe(404);
});

test('bad input at the nodes’ door is refused', async () => {
  const { key } = await enrol('node-h');
  expect((await own.call('POST', '/v1/node/enrol', { name: 'Bad Name', sealingPublicKey: 'x' }, await joinToken())).status).toBe(400);
  expect((await own.call('POST', '/v1/node/enrol', { name: 'fine', sealingPublicKey: 'not-a-key' }, await joinToken())).status).toBe(400);
  expect((await own.call('POST', '/v1/node/status', { ...status, epoch: -1 }, key)).status).toBe(400);
  expect((await own.call('POST', '/v1/node/status', { ...status, extra: 1 }, key)).status).toBe(200); // a newer node may say more
  expect((await own.call('GET', '/v1/node/chunks/xyz', undefined, key)).status).toBe(400);
  expect((await own.call('GET', `/v1/node/chunks/${'0'.repeat(64)}`, undefined, key)).status).toBe(404);
});

test('a node learns up to where its audit events are stored without a hole, and nothing of other nodes', async () => {
  const { key } = await enrol('node-i');
  const range = (node: string, of: string, firstSeq: bigint, lastSeq: bigint) => ({ node, boot: of, firstSeq, lastSeq });
  await own.database.auditRange.createMany({
    data: [range('node-i', boot, 1n, 10n), range('node-i', boot, 11n, 20n), range('node-i', boot, 31n, 40n), range('node-a', otherBoot, 1n, 5n)],
  });
  const audit = [
    { boot, lastSeq: 40 },
    { boot: otherBoot, lastSeq: 5 },
  ];
  const ask = async () => (await own.call('POST', '/v1/node/status', { ...status, audit }, key)).body.audit;
  expect(await ask()).toEqual([
    { boot, contiguousSeq: 20 },
    { boot: otherBoot, contiguousSeq: 0 },
  ]);
  await own.database.auditRange.create({ data: range('node-i', boot, 19n, 30n) });
  expect(await ask()).toEqual([
    { boot, contiguousSeq: 40 },
    { boot: otherBoot, contiguousSeq: 0 },
  ]);
  expect(await own.database.auditRange.count({ where: { node: 'node-i' } })).toBe(0);
});

test('no node key and no join token is stored or recorded in clear', async () => {
  const token = await joinToken();
  const { key } = await enrol('node-j', token);
  const stored = JSON.stringify([await own.database.node.findMany(), await own.database.joinToken.findMany()]);
  const recorded = (await own.database.auditEvent.findMany()).map(({ arguments: bytes }) => Buffer.from(bytes ?? []).toString()).join();
  for (const secret of [token, key].map((text) => text.slice(-43))) {
    expect(stored).not.toContain(secret);
    expect(recorded).not.toContain(secret);
  }
});

test('a server that a node says has changed is asked again at once, but not all the time, and never while it is disabled', async () => {
  const { key } = await enrol('node-k');
  const { id } = (await own.call('POST', '/v1/servers', { slug: 'changing', url: 'https://changing.example.com/mcp' })).body;
  const hour = 3_600_000;
  const when = async (row: { discoveredAt: Date; announcedAt?: Date; enabled?: boolean }): Promise<number | undefined> => {
    await own.database.server.update({ where: { id }, data: { announcedAt: null, ...row, nextDiscoveryAt: new Date(Date.now() + hour) } });
    expect((await own.call('POST', '/v1/node/changes', { serverId: id }, key)).status).toBe(204);
    return (await own.database.server.findUniqueOrThrow({ where: { id } })).nextDiscoveryAt?.getTime();
  };
  const longAgo = new Date(Date.now() - hour);
  expect(await when({ discoveredAt: longAgo })).toBeLessThanOrEqual(Date.now());
  const soon = new Date(Date.now() + hour / 4); // ahead, so that no clock decides how this ends
  expect(await when({ discoveredAt: new Date(), announcedAt: longAgo })).toBeLessThanOrEqual(Date.now());
  expect(await when({ discoveredAt: soon, announcedAt: soon })).toBe(soon.getTime() + 500);
  expect(await when({ discoveredAt: longAgo, enabled: false })).toBeGreaterThan(Date.now() + hour / 2);
  expect((await own.call('POST', '/v1/node/changes', { serverId: otherBoot }, key)).status).toBe(204);
  expect((await own.call('POST', '/v1/node/changes', { serverId: id }, own.admin)).status).toBe(401);
});
