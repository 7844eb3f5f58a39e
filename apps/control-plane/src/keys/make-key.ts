import { newSealingKey, newSigningKey, type Sealer } from '@portcullis/secrets';
import type { KeyPurpose } from '@portcullis/database';

/** A key as its row holds it: the secret is sealed and opens only in its own place. */
export interface MadeKey {
  readonly keyId: string;
  readonly purpose: KeyPurpose;
  readonly secret: string;
  readonly publicKey: string | null;
}

/** The place a sealed secret belongs to: it does not open under another id or purpose. */
export const placeOf = (purpose: KeyPurpose, keyId: string): string => `key_ring|${purpose}|${keyId}|1`;

/** A fresh key of this purpose, sealed under the master key. */
export function makeKey(purpose: KeyPurpose, master: Sealer): MadeKey {
  if (purpose === 'signing') {
    const { keyId, publicKey, privateKey } = newSigningKey();
    return { keyId, purpose, publicKey, secret: master.seal(Buffer.from(privateKey, 'base64url'), placeOf(purpose, keyId)) };
  }
  const { id, key } = newSealingKey();
  return { keyId: id, purpose, publicKey: null, secret: master.seal(key, placeOf(purpose, id)) };
}
