import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { auditKeyPlace } from '@portcullis/contracts/node';
import type { PrismaClient } from '@portcullis/database';
import type { Sealer } from '@portcullis/secrets';

/** Registers a node's audit key as the control plane does; gives what the node tags its batches with. */
export async function newNodeSecret(
  database: PrismaClient,
  { node, keyId, publicKey, createdAt }: { node: string; keyId: string; publicKey: string; createdAt: Date },
  sealer: Sealer,
): Promise<{ batchKey: KeyObject }> {
  const bytes = randomBytes(32);
  const secret = sealer.seal(bytes, auditKeyPlace(node, keyId));
  await database.auditKey.create({ data: { keyId, node, publicKey, secret, certifiedBy: '', certificate: '', createdAt } });
  return { batchKey: createSecretKey(bytes) };
}
