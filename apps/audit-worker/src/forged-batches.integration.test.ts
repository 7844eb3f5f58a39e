import { createSecretKey, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBatch, encodeBatch, encodeFrame, type AuditSigner } from '@portcullis/audit';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { freshDatabase, type FreshDatabase } from '@portcullis/testing';
import { BatchAuthority } from './batch-authority.js';

let database: FreshDatabase;
let prisma: PrismaClient;
let authority: BatchAuthority;
beforeAll(async () => {
  database = await freshDatabase();
  prisma = openDatabase(database.url);
  authority = new BatchAuthority(prisma);
});
afterAll(async () => {
  await prisma.$disconnect();
  await database.drop();
});

async function keyFor(node: string, createdAt = new Date(0)): Promise<AuditSigner> {
  const secret = randomBytes(32);
  const keyId = `key-${node}`;
  await prisma.auditKey.create({
    data: { keyId, node, publicKey: '', secret: secret.toString('base64url'), certifiedBy: '', certificate: '', createdAt },
  });
  return { keyId, batchKey: createSecretKey(secret), sign: () => '' };
}
const enrol = async (name: string) =>
  prisma.node.create({ data: { name, keyId: `${name}-bearer`, keyHash: '', pepperId: '', sealingPublicKey: '' } });
const run = () => {
  const frames = [encodeFrame(1, '["one"]'), encodeFrame(2, '["two"]')];
  return {
    firstSeq: 1,
    frames,
    hashes: decodeBatch(encodeBatch('x', v7(), { firstSeq: 1, frames, hashes: '' }))
      .frames.map(({ hash }) => hash)
      .join(''),
  };
};
const objectionTo = async (batch: object) => authority.objectionTo(decodeBatch(batch));

test("a node's own batch is taken, and every change of it is refused", async () => {
  const signer = await keyFor('own');
  const batch = encodeBatch('own', v7(), run(), signer);
  expect(await objectionTo(batch)).toBeUndefined();
  const other = encodeBatch('own', batch.boot, { ...run(), frames: [encodeFrame(1, '["one"]'), encodeFrame(2, '["TWO"]')] });
  expect(await objectionTo({ ...batch, frames: other.frames })).toContain('tag is wrong');
  expect(await objectionTo({ ...batch, boot: v7() })).toContain('tag is wrong');
});

test('nobody speaks for another node, with whatever key', async () => {
  const thief = await keyFor('thief');
  const boot = v7();
  expect(await objectionTo(encodeBatch('victim', boot, run(), thief))).toContain('another node');
  expect(await objectionTo(encodeBatch('victim', boot, run(), { ...thief, keyId: 'made-up' }))).toContain('no node has');
  expect(await objectionTo(encodeBatch('victim', boot, run()))).toContain('without the tag');
});

test('only a node that has no key yet, or has had one for less than a minute, may leave the tag away', async () => {
  await enrol('older');
  expect(await objectionTo(encodeBatch('older', v7(), run()))).toBeUndefined();
  await enrol('newer');
  await keyFor('newer', new Date());
  expect(await objectionTo(encodeBatch('newer', v7(), run()))).toBeUndefined();
  await prisma.auditKey.update({ where: { keyId: 'key-newer' }, data: { createdAt: new Date(Date.now() - 61_000) } });
  expect(await objectionTo(encodeBatch('newer', v7(), run()))).toContain('without the tag');
});
