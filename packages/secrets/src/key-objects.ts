import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A curve a key pair is made on: Ed25519 signs, X25519 agrees on a secret. */
export type Curve = 'Ed25519' | 'X25519';

const remembered = new Map<string, KeyObject>();
const rememberedMax = 256;

/** The public key of 32 raw bytes in base64url. Parsed once and remembered; throws a TypeError that does not echo the key. */
export function publicKeyObject(curve: Curve, raw: string): KeyObject {
  return remember(`${curve} public ${raw}`, () => ephemeralKeyObject(curve, raw));
}

/** The same, for a key seen once: it must not push a lasting one out of memory. */
export function ephemeralKeyObject(curve: Curve, raw: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: raw }, format: 'jwk' });
}

/** The private key of a PKCS #8 DER in base64url. Parsed once and remembered; throws a TypeError that does not echo the key. */
export function privateKeyObject(curve: Curve, pkcs8: string): KeyObject {
  return remember(`${curve} private ${pkcs8}`, () => {
    const key = createPrivateKey({ key: Buffer.from(pkcs8, 'base64url'), format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyType !== curve.toLowerCase()) throw new TypeError('wrong curve');
    return key;
  });
}

/** The 32 raw bytes of a public key, or of the public half of a private key, in base64url. */
export function rawPublicKey(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('Not a key on a known curve');
  return x;
}

function remember(name: string, parse: () => KeyObject): KeyObject {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  let key: KeyObject;
  try {
    key = parse();
  } catch {
    throw new TypeError('Not a usable key'); // the cause may quote key bytes
  }
  // Oldest out first: a process knows a handful of keys, the bound only stops a foreign list of keys from growing us.
  for (const oldest of remembered.keys()) {
    if (remembered.size < rememberedMax) break;
    remembered.delete(oldest);
  }
  remembered.set(name, key);
  return key;
}
