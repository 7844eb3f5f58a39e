import { AUDIT_BATCH_BYTES_MAX, AUDIT_BATCH_TYPE } from '@portcullis/contracts/node';
import { newNodeKeyPair } from '@portcullis/secrets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

const token = 'a-fixed-token-for-compose-files';
const batch = { v: 1, node: 'node-a', boot: '0199aaaa-0000-7000-8000-000000000001', firstSeq: 1, lastSeq: 3, frames: '' };
let own: TestApp;
let key: string;

beforeAll(async () => {
  own = await startTestApp({ joinToken: token });
  const enrolled = await own.call('POST', '/v1/node/enrol', { name: 'node-a', sealingPublicKey: newNodeKeyPair().publicKey }, token);
  key = enrolled.body.nodeKey;
});
afterAll(() => own.close());

async function bring(payload: string, { bearer = key, type = AUDIT_BATCH_TYPE } = {}): Promise<number> {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': type };
  return (await own.app.inject({ method: 'POST', url: '/v1/node/audit', headers, payload })).statusCode;
}

test('a batch that a node brings is kept as it came, and once however often it comes', async () => {
  expect(await bring(JSON.stringify(batch))).toBe(204);
  expect(await bring(JSON.stringify(batch))).toBe(204);
  const kept = await own.database.auditHandover.findMany();
  expect(kept.map((row) => JSON.parse(Buffer.from(row.batch).toString()) as unknown)).toEqual([batch]);
});

test('longer than other bodies may be, up to its own limit', async () => {
  expect(await bring(JSON.stringify({ ...batch, firstSeq: 4, lastSeq: 4, frames: 'A'.repeat(2_000_000) }))).toBe(204);
  expect(await bring('x'.repeat(AUDIT_BATCH_BYTES_MAX + 1))).toBe(413);
});

test('nothing is taken of strangers, of operators, for other nodes, or of another type', async () => {
  const before = await own.database.auditHandover.count();
  expect(await bring(JSON.stringify(batch), { bearer: 'gwn_nobody' })).toBe(401);
  expect(await bring(JSON.stringify(batch), { bearer: own.admin })).toBe(401);
  expect(await bring(JSON.stringify({ ...batch, node: 'node-b' }))).toBe(403);
  expect(await bring(JSON.stringify({ ...batch, lastSeq: 'last' }))).toBe(400);
  expect(await bring('{')).toBe(400);
  expect(await bring(JSON.stringify(batch), { type: 'text/plain' })).toBe(415);
  expect(await own.database.auditHandover.count()).toBe(before);
});

test('while too many wait for a worker the node keeps its own, and one node does not fill the room of all', async () => {
  await haveWait('node-a', 1000);
  expect(await bring(JSON.stringify({ ...batch, firstSeq: 10, lastSeq: 12 }))).toBe(503);
  await own.database.auditHandover.deleteMany();
  await haveWait('node-b', 1000);
  expect(await bring(JSON.stringify({ ...batch, firstSeq: 10, lastSeq: 12 }))).toBe(204);
  await haveWait('node-c', 999);
  expect(await bring(JSON.stringify({ ...batch, firstSeq: 13, lastSeq: 15 }))).toBe(503);
});

async function haveWait(node: string, batches: number): Promise<void> {
  const row = { node, boot: batch.boot, lastSeq: 9, batch: Buffer.from('{}') };
  await own.database.auditHandover.createMany({ data: Array.from({ length: batches }, (_, place) => ({ ...row, firstSeq: place + 1000 })) });
}
