import { decodeBase64url } from './decode-base64url.js';
import { createSealer, deriveKey, keyNamed, type Sealer, type SealingKey } from './sealer.js';

/**
 * The key under which the secrets lie sealed that nodes tag their batches with, made from the master key. It is all of it that audit workers are given,
 * and opens nothing else.
 */
export const auditSealingKey = (masterKey: Uint8Array): SealingKey => keyNamed(deriveKey(masterKey, 'audit keys'));

/** The keys as audit workers are given them, one a line: the one that seals first. */
export const auditKeysText = (keys: readonly SealingKey[]): string => keys.map(({ key }) => `${Buffer.from(key).toString('base64url')}\n`).join('');

/** What `auditKeysText` wrote; commas and spaces part keys too. Throws a TypeError, which holds none of it, for anything else. */
export function readAuditKeys(text: string): Sealer {
  const words = new Set(text.split(/[\s,]+/).filter((word) => word !== ''));
  const [current, ...previous] = [...words].map((word) => {
    const key = decodeBase64url(word);
    if (key?.length !== 32) throw new TypeError('A key of audit workers is base64url of 32 bytes');
    return keyNamed(key);
  });
  if (current === undefined) throw new TypeError('There is no key of audit workers');
  return createSealer({ current, previous });
}
