import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyIdOf, newSigningKey, signBytes, verifyBytes } from './signing-key.js';
import { newNodeKeyPair } from './seal-for.js';

const key = newSigningKey();

test('a signature verifies under its own key and fails after any flipped bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(), (bytes, inMessage, inSignature) => {
      const signature = signBytes(key.privateKey, bytes);
      expect(verifyBytes(key.publicKey, bytes, signature)).toBe(true);
      expect(verifyBytes(key.publicKey, flipBit(bytes, inMessage), signature)).toBe(false);
      const forged = Buffer.from(flipBit(Buffer.from(signature, 'base64url'), inSignature)).toString('base64url');
      expect(verifyBytes(key.publicKey, bytes, forged)).toBe(false);
    }),
  );
});

test('another key, a malformed key or a malformed signature verifies nothing and throws nothing', () => {
  const bytes = Buffer.from('head');
  const signature = signBytes(key.privateKey, bytes);
  expect(verifyBytes(newSigningKey().publicKey, bytes, signature)).toBe(false);
  for (const publicKey of ['', 'x', newNodeKeyPair().publicKey, `${key.publicKey}AAAA`]) expect(verifyBytes(publicKey, bytes, signature)).toBe(false);
  for (const text of ['', 'x', `${signature}=`, `${signature}A`, signature.slice(1)]) expect(verifyBytes(key.publicKey, bytes, text)).toBe(false);
});

test('a key id follows from the public key alone', () => {
  expect(key.keyId).toBe(keyIdOf(key.publicKey));
  expect(key.keyId).toMatch(/^[0-9a-f]{16}$/);
});

test('signing with something that is no signing key is refused without quoting it', () => {
  for (const wrong of ['', 'AAAA', newNodeKeyPair().privateKey]) {
    expect(() => signBytes(wrong, Buffer.from('x'))).toThrow(new TypeError('Not a usable key'));
  }
});

function flipBit(bytes: Uint8Array, seed: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const place = seed % (bytes.length * 8);
  flipped[place >> 3] = (flipped[place >> 3] ?? 0) ^ (1 << (place & 7));
  return flipped;
}
