import type { KeyPurpose, KeyRingEntry, PrismaClient, Transaction } from '@portcullis/database';
import type { MadeKey } from './make-key.js';
import { sealedUnder } from './sealed-values.js';

export type StoredKey = Pick<KeyRingEntry, 'keyId' | 'purpose' | 'secret' | 'publicKey'>;

/** How long something may live that was sealed under a session key: agents' sessions and keys for their tasks. */
const SESSION_MS = 86_400_000;

/** Makes whoever else wants to change the ring wait for the end of this transaction. */
export async function lockKeyRing(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis key ring'))`;
}

/** Keys that are not retired, newest first. */
export async function readLiveKeys(database: PrismaClient | Transaction): Promise<StoredKey[]> {
  return database.keyRingEntry.findMany({
    where: { retiredAt: null },
    orderBy: [{ createdAt: 'desc' }, { keyId: 'desc' }],
    select: { keyId: true, purpose: true, secret: true, publicKey: true },
  });
}

/** All keys there ever were, oldest first. */
export async function readKeysEver(db: PrismaClient | Transaction): Promise<StoredKey[]> {
  const select = { keyId: true, purpose: true, secret: true, publicKey: true } as const;
  return db.keyRingEntry.findMany({ orderBy: { createdAt: 'asc' }, select });
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

/** Retires all but the newest `kept` of a purpose, save those that something still needs. The caller holds the lock. */
export async function retireOldKeys(tx: Transaction, purpose: KeyPurpose, kept: 1 | 2): Promise<void> {
  const live = await tx.keyRingEntry.findMany({
    where: { purpose, retiredAt: null },
    orderBy: [{ createdAt: 'desc' }, { keyId: 'desc' }],
    select: { keyId: true, createdAt: true },
  });
  const needed = await neededKeys(tx, purpose);
  const isRecent = (at: number): boolean => kept > 1 && purpose === 'session' && (live[at - 1]?.createdAt.getTime() ?? 0) > Date.now() - SESSION_MS;
  const old = live.filter(({ keyId }, at) => at >= kept && !needed.has(keyId) && !isRecent(at));
  await tx.keyRingEntry.updateMany({ where: { keyId: { in: old.map(({ keyId }) => keyId) } }, data: { retiredAt: new Date() } });
}

/** A hash cannot be made again without its secret, and what is sealed cannot be opened without its key. */
async function neededKeys(tx: Transaction, purpose: KeyPurpose): Promise<ReadonlySet<string>> {
  if (purpose === 'pepper') return peppersInUse(tx);
  if (purpose !== 'sealing' && purpose !== 'credential') return new Set();
  return new Set((await sealedUnder(tx, purpose)).map(({ keyId }) => keyId));
}

async function peppersInUse(tx: Transaction): Promise<Set<string>> {
  const now = new Date();
  const live = { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  const select = { pepperId: true } as const;
  const rows = [
    ...(await tx.agentKey.findMany({ where: live, distinct: ['pepperId'], select })),
    ...(await tx.operatorToken.findMany({ where: live, distinct: ['pepperId'], select })),
    ...(await tx.node.findMany({ distinct: ['pepperId'], select })),
    ...(await tx.runner.findMany({ distinct: ['pepperId'], select })),
    ...(await tx.joinToken.findMany({ where: { expiresAt: { gt: now } }, distinct: ['pepperId'], select })),
  ];
  return new Set(rows.map(({ pepperId }) => pepperId));
}
