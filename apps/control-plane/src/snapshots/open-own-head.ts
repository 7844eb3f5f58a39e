import type { SignedHead, SnapshotHead } from '@portcullis/contracts/snapshot';
import { verifyBytes } from '@portcullis/secrets';
import { openHead, SnapshotRefusal } from '@portcullis/snapshot';
import type { KeyRing } from '../keys/key-ring.js';

/** The head, if this installation signed it; undefined for anything else, which proves nothing. */
export function openOwnHead(keys: KeyRing, signed: SignedHead): SnapshotHead | undefined {
  const { signing } = keys.nodeKeys();
  try {
    return openHead(signed, (keyId, body, signature) => {
      const key = signing.find((candidate) => candidate.keyId === keyId);
      return key && verifyBytes(key.publicKey, body, signature);
    });
  } catch (error) {
    if (error instanceof SnapshotRefusal) return undefined;
    throw error;
  }
}
