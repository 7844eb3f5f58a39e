import { generateKeyPairSync } from 'node:crypto';
import { decodeBase64url } from './decode-base64url.js';
import { aes256gcm, hpkeOpen, hpkeSeal, type HpkeContext } from './hpke.js';
import { privateKeyObject, rawPublicKey } from './key-objects.js';
import { keyIdOf, type KeyPair } from './signing-key.js';
import { UnsealError } from './unseal-error.js';

const head = 'h1.';

/** A fresh X25519 pair, as a node makes when it enrols: the private half never leaves it. */
export function newNodeKeyPair(): KeyPair {
  const pair = generateKeyPairSync('x25519');
  const publicKey = rawPublicKey(pair.publicKey);
  return { keyId: keyIdOf(publicKey), publicKey, privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url') };
}

/**
 * Seals bytes so that only the holder of the private key opens them: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM, as `h1.<base64url>`.
 * It hides, it does not prove who sealed: sign what must be trusted. Throws a TypeError when `publicKey` is no X25519 key.
 */
export function sealFor(publicKey: string, bytes: string | Uint8Array, aad: string): string {
  const plaintext = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return head + hpkeSeal(publicKey, plaintext, contextOf(aad)).toString('base64url');
}

/** The bytes of `sealFor` to this key's public half with the same `aad`; throws UnsealError for anything else. */
export function openWith(privateKey: string, sealed: string, aad: string): Buffer {
  const key = privateKeyObject('X25519', privateKey);
  const message = sealed.startsWith(head) ? decodeBase64url(sealed.slice(head.length)) : undefined;
  if (message === undefined) throw new UnsealError();
  try {
    return hpkeOpen(key, message, contextOf(aad));
  } catch {
    throw new UnsealError();
  }
}

function contextOf(aad: string): HpkeContext {
  return { aead: aes256gcm, info: Buffer.from('portcullis seal-for v1'), aad: Buffer.from(aad) };
}
