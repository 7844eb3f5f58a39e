import { randomUUID } from 'node:crypto';
import { SNAPSHOT_SCHEMA_VERSION, SnapshotRoot } from '@portcullis/contracts/snapshot';
import { newNodeKeyPair } from '@portcullis/secrets';
import { makeAuthority } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let plain: string;

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'worker' });
  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://github.example/mcp' } });
  plain = (await own.call('POST', '/v1/grants', { agent: 'worker', server: 'github', names: ['*'] })).body.id;
});
afterAll(async () => own.close());

const { cert: ca } = makeAuthority('Servers');
const conditional = { agent: 'worker', server: 'github', names: ['push'], condition: 'args.repo == "one"' };

/** Of the newest revision, once the control plane has committed it. */
async function publishedSchema(): Promise<number> {
  const { revision } = await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
  const published = () => own.database.publishedSnapshot.findUniqueOrThrow({ where: { id: 1 } });
  await vi.waitFor(async () => expect((await published()).revision).toBe(revision), 20_000);
  const root = await own.database.snapshotChunk.findUniqueOrThrow({ where: { digest: (await published()).rootDigest } });
  return SnapshotRoot.parse(JSON.parse(Buffer.from(root.bytes).toString())).schema;
}

/** A node reports over its own door what it reads; one of an older release does not say. */
async function report(name: string, schemaMax: number | undefined): Promise<void> {
  const { token } = (await own.call('POST', '/v1/nodes/join-tokens', {})).body;
  const enrolled = await own.call('POST', '/v1/node/enrol', { name, sealingPublicKey: newNodeKeyPair().publicKey }, token);
  const status = { boot: randomUUID(), version: '1', url: null, epoch: 1, appliedRevision: 0, policyAgeMs: 0, schemaMax, refused: null, audit: [] };
  expect((await own.call('POST', '/v1/node/status', status, enrolled.body.nodeKey)).status).toBe(200);
}

test('what a live node would misread is refused until all are new, and the snapshot stays in the schema that all read', async () => {
  await report('node-new', SNAPSHOT_SCHEMA_VERSION);
  await report('node-old', undefined);
  const refused = await own.call('POST', '/v1/grants', conditional);
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('node-old')]);
  expect(refused.body.detail).not.toContain('node-new');
  const widened = await own.call('PATCH', `/v1/grants/${plain}`, { condition: 'true' });
  expect(widened.status).toBe(409);
  expect((await own.call('PATCH', `/v1/grants/${plain}`, { names: ['pull'] })).status).toBe(200);
  const tls = () => own.call('PUT', '/v1/servers/github/tls', { ca });
  expect((await tls()).status).toBe(409);
  const answers = (answerRules: object | null) => own.call('PATCH', '/v1/servers/github', { answerRules });
  const rules = { rules: [{ names: ['*'], action: 'block', secrets: true }] };
  expect((await answers(rules)).status).toBe(409);
  expect(await publishedSchema()).toBe(1);

  await report('node-old', SNAPSHOT_SCHEMA_VERSION);
  expect((await tls()).status).toBe(200);
  expect(await publishedSchema()).toBe(4);
  expect((await answers(rules)).status).toBe(200);
  expect(await publishedSchema()).toBe(5);
  expect((await answers(null)).status).toBe(200);
  expect((await own.call('DELETE', '/v1/servers/github/tls')).status).toBe(204);
  expect((await own.call('POST', '/v1/grants', conditional)).status).toBe(201);
  expect(await publishedSchema()).toBe(2);
  expect((await own.call('GET', '/v1/nodes')).body.items.map(({ schemaMax }: { schemaMax: number }) => schemaMax)).toEqual([
    SNAPSHOT_SCHEMA_VERSION,
    SNAPSHOT_SCHEMA_VERSION,
  ]);
});

test('an old node that comes late holds up nothing, least of all a revocation; without the newer grants it can follow again', async () => {
  await own.call('POST', '/v1/grants', conditional);
  await publishedSchema();
  await report('node-late', 1);
  expect((await own.call('POST', '/v1/grants', { ...conditional, names: ['merge'] })).status).toBe(201);
  const { items } = (await own.call('GET', '/v1/grants?agent=worker')).body;
  for (const { id } of items) expect((await own.call('DELETE', `/v1/grants/${id}`)).status).toBe(204);
  expect(await publishedSchema()).toBe(1);
});
