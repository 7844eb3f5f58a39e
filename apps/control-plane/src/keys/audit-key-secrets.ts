import { auditKeyPlace } from '@portcullis/contracts/node';
import type { PrismaClient, Transaction } from '@portcullis/database';
import { UnsealError, type Sealer } from '@portcullis/secrets';

interface StoredSecret {
  readonly keyId: string;
  readonly node: string;
  readonly secret: string;
}

/** Every secret that a node tags its batches with, as it lies sealed. */
export async function readAuditSecrets(database: PrismaClient | Transaction): Promise<StoredSecret[]> {
  return database.auditKey.findMany({ select: { keyId: true, node: true, secret: true } });
}

/** Seals those that do not lie as this one seals, also such as lie in clear from before they were sealed. Gives how many; what does not open stays as it is. */
export async function sealAuditSecrets(tx: Transaction, sealer: Sealer): Promise<number> {
  let done = 0;
  for (const { keyId, node, secret } of await readAuditSecrets(tx)) {
    if (sealer.isCurrent(secret)) continue;
    const place = auditKeyPlace(node, keyId);
    const bytes = isInClear(secret) ? Buffer.from(secret, 'base64url') : opened(sealer, secret, place);
    if (bytes === undefined) continue;
    done += (await tx.auditKey.updateMany({ where: { keyId, secret }, data: { secret: sealer.seal(bytes, place) } })).count;
  }
  return done;
}

/** 32 bytes in base64url and nothing else: what is sealed is longer. */
const isInClear = (secret: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(secret);

function opened(sealer: Sealer, secret: string, place: string): Buffer | undefined {
  try {
    return sealer.open(secret, place);
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}
