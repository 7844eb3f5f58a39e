import { randomBytes } from 'node:crypto';
import { auditKeyPlace } from '@portcullis/contracts/node';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { hashBearer, newBearer, readAuditKeys, signBytes, UnsealError, verifyBytes } from '@portcullis/secrets';
import { freshDatabase, type FreshDatabase } from '@portcullis/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyRing } from './key-ring.js';

let own: FreshDatabase;
let database: PrismaClient;
const masterKey = randomBytes(32);

beforeEach(async () => {
  own = await freshDatabase();
  database = openDatabase(own.url, 4);
});

afterEach(async () => {
  await database.$disconnect();
  await own.drop();
});

test('control planes that start at once end with the same keys', async () => {
  const rings = await Promise.all(Array.from({ length: 4 }, () => KeyRing.open(database, masterKey)));
  const first = rings[0]?.nodeKeys();
  for (const ring of rings) expect(ring.nodeKeys()).toEqual(first);
  expect(await database.keyRingEntry.groupBy({ by: ['purpose'], _count: true, orderBy: { purpose: 'asc' } })).toEqual(
    ['signing', 'sealing', 'session', 'pepper', 'credential'].map((purpose) => ({ purpose, _count: 1 })),
  );
});

test('no secret of the ring lies in the database in clear', async () => {
  const ring = await KeyRing.open(database, masterKey);
  const rows = JSON.stringify(await database.keyRingEntry.findMany());
  const { peppers, session, credentials = [] } = ring.nodeKeys();
  for (const secret of [...peppers, ...session, ...credentials].map((key) => key.secret).concat(ring.signingKey().privateKey))
    expect(rows).not.toContain(secret);
});

test('a ring opened with another master key refuses to start and says why', async () => {
  await KeyRing.open(database, masterKey);
  await expect(KeyRing.open(database, randomBytes(32))).rejects.toThrow('another master key');
});

test('what the current signing key signs verifies under the public key that nodes are given', async () => {
  const ring = await KeyRing.open(database, masterKey);
  const { keyId, privateKey } = ring.signingKey();
  const publicKey = ring.nodeKeys().signing.find((key) => key.keyId === keyId)?.publicKey ?? '';
  expect(verifyBytes(publicKey, Buffer.from('head'), signBytes(privateKey, Buffer.from('head')))).toBe(true);
});

test('two generations are valid after a rotation, and another control plane takes the new one in', async () => {
  const ring = await KeyRing.open(database, masterKey);
  const other = await KeyRing.open(database, masterKey);
  const before = ring.signingKey().keyId;
  const after = await ring.rotate('signing');
  expect(ring.signingKey().keyId).toBe(after);
  expect(ring.nodeKeys().signing.map(({ keyId }) => keyId)).toEqual([after, before]);
  await other.refresh();
  expect(other.signingKey().keyId).toBe(after);
  const newest = await ring.rotate('signing');
  expect(ring.nodeKeys().signing.map(({ keyId }) => keyId)).toEqual([newest, after]);
});

test('a pepper is kept while something live is hashed under it', async () => {
  const ring = await KeyRing.open(database, masterKey);
  const pepper = ring.currentPepper();
  const { id, secret } = newBearer('node');
  const hash = hashBearer(pepper.key, secret);
  await database.node.create({ data: { name: 'n', keyId: id, keyHash: hash, pepperId: pepper.id, sealingPublicKey: 'x' } });
  await ring.rotate('pepper');
  await ring.rotate('pepper');
  expect(ring.pepper(pepper.id)).toBeDefined();
  await database.node.deleteMany();
  await ring.rotate('pepper');
  expect(ring.pepper(pepper.id)).toBeUndefined();
});

test('the master key is replaced while everything goes on: both open the ring, and then the old one opens nothing', async () => {
  const newKey = randomBytes(32);
  const old = await KeyRing.open(database, masterKey);
  const kept = old.sealer().seal('a secret', 'somewhere');
  await old.rotate('session'); // retired keys are sealed anew too
  const both = await KeyRing.open(database, newKey, masterKey);
  expect((await both.masterState()).waiting).toBe(await database.keyRingEntry.count());
  // Whoever has only the old one reads what is added meanwhile, and may start again.
  const added = await both.rotate('sealing');
  await old.refresh();
  expect(old.newestId('sealing')).toBe(added);
  expect((await KeyRing.open(database, masterKey)).nodeKeys()).toEqual(both.nodeKeys());

  expect(await database.$transaction((tx) => both.sealAnew(tx))).toBe(await database.keyRingEntry.count());
  expect(await database.$transaction((tx) => both.sealAnew(tx))).toBe(0);
  expect(await both.masterState()).toMatchObject({ waiting: 0 });
  await old.refresh(); // runs on with what it has opened
  expect(old.nodeKeys()).toEqual(both.nodeKeys());
  await expect(KeyRing.open(database, masterKey)).rejects.toThrow('another master key');
  const after = await KeyRing.open(database, newKey);
  expect([after.nodeKeys(), after.sealer().open(kept, 'somewhere').toString()]).toEqual([both.nodeKeys(), 'a secret']);
  await after.rotate('pepper');
  await both.refresh();
  expect(both.newestId('pepper')).toBe(after.newestId('pepper'));
  await expect(KeyRing.open(database, randomBytes(32), randomBytes(32))).rejects.toThrow('another master key');
});

test('secrets that nodes tag batches with lie sealed, for audit workers to open, through a replacement of the master key too', async () => {
  const newKey = randomBytes(32);
  const opens = async (keys: KeyRing, keyId = 'sealed'): Promise<string> => {
    const { secret } = await database.auditKey.findUniqueOrThrow({ where: { keyId } });
    return readAuditKeys(keys.auditWorkerKeys()).open(secret, auditKeyPlace('n', keyId)).toString('base64url');
  };
  const bytes = randomBytes(32);
  const row = (keyId: string, secret: string) => ({ keyId, node: 'n', publicKey: '', certifiedBy: '', certificate: '', secret });
  const old = await KeyRing.open(database, masterKey);
  const sealed = await database.$transaction(async (tx) => (await old.auditSealer(tx)).seal(bytes, auditKeyPlace('n', 'sealed')));
  // As they lay before they were sealed.
  await database.auditKey.createMany({ data: [row('sealed', sealed), row('clear', bytes.toString('base64url'))] });
  await KeyRing.open(database, masterKey);
  const stored = await database.auditKey.findMany();
  expect(stored.map(({ secret }) => secret).join()).not.toContain(bytes.toString('base64url'));
  expect([await opens(old), await opens(old, 'clear')]).toEqual([bytes.toString('base64url'), bytes.toString('base64url')]);
  // The key of audit workers opens nothing else.
  expect(() => readAuditKeys(masterKey.toString('base64url')).open(sealed, auditKeyPlace('n', 'sealed'))).toThrow(UnsealError);

  const both = await KeyRing.open(database, newKey, masterKey);
  expect([await opens(old), await opens(both)]).toEqual([bytes.toString('base64url'), bytes.toString('base64url')]);
  const keys = await database.keyRingEntry.count();
  expect((await both.masterState()).waiting).toBe(keys + 2);
  expect(await database.$transaction((tx) => both.sealAnew(tx))).toBe(keys + 2);
  expect((await both.masterState()).waiting).toBe(0);
  const after = await KeyRing.open(database, newKey);
  expect([await opens(both), await opens(after), await opens(after, 'clear')]).toEqual(Array(3).fill(bytes.toString('base64url')));
  await expect(opens(old)).rejects.toThrow(UnsealError);
});
