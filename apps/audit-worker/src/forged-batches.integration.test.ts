import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBatch, encodeBatch, encodeFrame, type AuditSigner } from '@portcullis/audit';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { auditKeysText, auditSealingKey, createSealer } from '@portcullis/secrets';
import { freshDatabase, type FreshDatabase } from '@portcullis/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditSecrets } from './audit-secrets.js';
import { BatchAuthority } from './batch-authority.js';
import { newNodeSecret } from './testing/new-node-secret.js';

const key = auditSealingKey(randomBytes(32));
const sealer = createSealer({ current: key });

let database: FreshDatabase;
let prisma: PrismaClient;
let authority: BatchAuthority;
beforeAll(async () => {
  database = await freshDatabase();
  prisma = openDatabase(database.url);
  authority = new BatchAuthority(prisma, new AuditSecrets({ keys: auditKeysText([key]), file: undefined }));
});
afterAll(async () => {
  await prisma.$disconnect();
  await database.drop();
});

async function keyFor(node: string, createdAt = new Date(0)): Promise<AuditSigner> {
  const keyId = `key-${node}`;
  const { batchKey } = await newNodeSecret(prisma, { node, keyId, publicKey: '', createdAt }, sealer);
  return { keyId, batchKey, sign: () => '' };
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

test("a batch waits for the key that its node's secret lies sealed under, which control planes may leave later, and is never stored without it", async () => {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-audit-key-'));
  const file = join(directory, 'audit.key');
  const secrets = new AuditSecrets({ keys: undefined, file });
  const waiting = new BatchAuthority(prisma, secrets);
  const asked = async (batch: object) => waiting.objectionTo(decodeBatch(batch));
  try {
    const batch = encodeBatch('sealed', v7(), run(), await keyFor('sealed'));
    expect(await secrets.isReady()).toBe(false);
    await expect(asked(batch)).rejects.toThrow('ENOENT');
    await writeFile(file, auditKeysText([auditSealingKey(randomBytes(32))]));
    await expect(asked(batch)).rejects.toMatchObject({ name: 'UnsealError' });
    // While the master key is being replaced there are two.
    await writeFile(file, auditKeysText([auditSealingKey(randomBytes(32)), key]));
    expect([await asked(batch), await secrets.isReady()]).toEqual([undefined, true]);
    // What does not lie sealed for this node was put there by somebody else.
    const stolen = await prisma.auditKey.findUniqueOrThrow({ where: { keyId: 'key-sealed' } });
    await prisma.auditKey.createMany({
      data: [
        { ...stolen, keyId: 'moved' },
        { ...stolen, keyId: 'clear', secret: randomBytes(32).toString('base64url') },
      ],
    });
    for (const keyId of ['moved', 'clear'])
      await expect(asked({ ...batch, proof: { ...batch.proof, keyId } })).rejects.toMatchObject({ name: 'UnsealError' });
  } finally {
    await rm(directory, { recursive: true });
  }
});
