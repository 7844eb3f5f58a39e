import { sealFor } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';

/** Refuses (400) a key to which nothing can be sealed. */
export function requireSealable(publicKey: string): void {
  try {
    sealFor(publicKey, '', '');
  } catch {
    throw new ProblemError('validation', undefined, [{ pointer: '/sealingPublicKey', detail: 'is not an X25519 public key in base64url' }]);
  }
}
