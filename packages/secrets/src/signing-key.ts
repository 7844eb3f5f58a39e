import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { privateKeyObject, publicKeyObject, rawPublicKey } from './key-objects.js';

/** A key pair of a key ring: `publicKey` is 32 raw bytes, `privateKey` a PKCS #8 DER, both in base64url; `keyId` follows from the public key. */
export interface KeyPair {
  keyId: string;
  publicKey: string;
  privateKey: string;
}

/** The id under which a public key is known: 16 hex digits of its SHA-256. */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
}

/** A fresh Ed25519 pair, as the control plane makes at its first start and at each rotation. */
export function newSigningKey(): KeyPair {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = rawPublicKey(pair.publicKey);
  return { keyId: keyIdOf(publicKey), publicKey, privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url') };
}

/** The public half of a private key. Throws a TypeError when it is not an Ed25519 private key. */
export const publicKeyOf = (privateKey: string): string => rawPublicKey(privateKeyObject('Ed25519', privateKey));

/** Signs bytes with Ed25519; the signature is base64url of 64 bytes. Throws a TypeError when the key is not an Ed25519 private key. */
export function signBytes(privateKey: string, bytes: Uint8Array): string {
  return sign(null, bytes, privateKeyObject('Ed25519', privateKey)).toString('base64url');
}

const signatureShape = /^[A-Za-z0-9_-]{85}[AQgw]$/; // 64 bytes, spare bits zero: one spelling per signature

/** Whether the signature is this key's over exactly these bytes. False, never an error, for anything malformed, key included. */
export function verifyBytes(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  if (!signatureShape.test(signature)) return false;
  try {
    return verify(null, bytes, publicKeyObject('Ed25519', publicKey), Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}
