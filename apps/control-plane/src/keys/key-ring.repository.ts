import type { KeyPurpose, KeyRingEntry, PrismaClient, Transaction } from '@portcullis/database';
import type { MadeKey } from './make-key.js';

export type StoredKey = Pick<KeyRingEntry, 'keyId' | 'purpose' | 'secret' | 'publicKey'>;

const GENERATIONS = 2;

/** Makes whoever else wants to change the ring wait for the end of this transaction. */
export async function lockKeyRing(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis key ring'))`;
}

/** Keys that are not retired, newest first. */
export async function readLiveKeys(database: PrismaClient): Promise<StoredKey[]> {
  return database.keyRingEntry.findMany({
    where: { retiredAt: null },
    orderBy: [{ createdAt: 'desc' }, { keyId: 'desc' }],
    select: { keyId: true, purpose: true, secret: true, publicKey: true },
  });
}

/** All keys that sign or have signed, oldest first. */
export async function readSigningKeysEver(database: PrismaClient): Promise<StoredKey[]> {
  const select = { keyId: true, purpose: true, secret: true, publicKey: true } as const;
  return database.keyRingEntry.findMany({ where: { purpose: 'signing' }, orderBy: { createdAt: 'asc' }, select });
}

/** Gives each purpose without a live key its first one. The caller holds the lock. */
export async function insertMissingKeys(tx: Transaction, purposes: readonly KeyPurpose[], make: (purpose: KeyPurpose) => MadeKey): Promise<void> {
  const live = await tx.keyRingEntry.groupBy({ by: ['purpose'], where: { retiredAt: null } });
  const present = new Set(live.map(({ purpose }) => purpose));
  const missing = purposes.filter((purpose) => !present.has(purpose)).map(make);
  if (missing.length > 0) await tx.keyRingEntry.createMany({ data: missing });
}

/** Retires all but the newest generations of a purpose. The caller holds the lock. */
export async function retireOldKeys(tx: Transaction, purpose: KeyPurpose): Promise<void> {
  const live = await tx.keyRingEntry.findMany({
    where: { purpose, retiredAt: null },
    orderBy: [{ createdAt: 'desc' }, { keyId: 'desc' }],
    select: { keyId: true },
  });
  // A hash cannot be made again without its secret: a pepper retires only when nothing is hashed under it any more.
  const inUse = purpose === 'pepper' ? await peppersInUse(tx) : new Set<string>();
  const old = live.slice(GENERATIONS).filter(({ keyId }) => !inUse.has(keyId));
  await tx.keyRingEntry.updateMany({ where: { keyId: { in: old.map(({ keyId }) => keyId) } }, data: { retiredAt: new Date() } });
}

async function peppersInUse(tx: Transaction): Promise<Set<string>> {
  const now = new Date();
  const live = { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  const select = { pepperId: true } as const;
  const rows = [
    ...(await tx.agentKey.findMany({ where: live, distinct: ['pepperId'], select })),
    ...(await tx.operatorToken.findMany({ where: live, distinct: ['pepperId'], select })),
    ...(await tx.node.findMany({ distinct: ['pepperId'], select })),
    ...(await tx.joinToken.findMany({ where: { expiresAt: { gt: now } }, distinct: ['pepperId'], select })),
  ];
  return new Set(rows.map(({ pepperId }) => pepperId));
}
