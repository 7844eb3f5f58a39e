import { createSecretKey } from 'node:crypto';
import type { AuditSigner } from '@portcullis/audit';
import { nodeAuditKeyAad } from '@portcullis/contracts/node';
import { newSigningKey, openWith, signBytes } from '@portcullis/secrets';
import type { ControlPlaneClient } from './control-plane-client.js';
import type { Identity } from './identity-file.js';

/** Makes the key that this node signs its audit trail with, and makes it known. */
export async function newAuditKey(client: ControlPlaneClient, nodeKey: string): Promise<NonNullable<Identity['audit']>> {
  const { publicKey, privateKey } = newSigningKey();
  return { publicKey, privateKey, ...(await client.registerAuditKey(nodeKey, publicKey)) };
}

/** Throws an UnsealError for a secret that was sealed to another node. */
export function signerOf({ nodeId, sealingPrivateKey, audit }: Identity): AuditSigner | undefined {
  if (audit === undefined) return undefined;
  const { keyId, privateKey, sealedSecret } = audit;
  const batchKey = createSecretKey(openWith(sealingPrivateKey, sealedSecret, nodeAuditKeyAad(nodeId, keyId)));
  return { keyId, batchKey, sign: (bytes) => signBytes(privateKey, bytes) };
}
