import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aes128gcm, hpkeOpen } from './hpke.js';
import { newNodeKeyPair, openWith, sealFor } from './seal-for.js';
import { newSigningKey } from './signing-key.js';
import { UnsealError } from './unseal-error.js';

const node = newNodeKeyPair();

test('what is sealed for a node opens with its private key and place only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary' }), (bytes, aad) => {
      const sealed = sealFor(node.publicKey, bytes, aad);
      expect(openWith(node.privateKey, sealed, aad).equals(bytes)).toBe(true);
      expect(() => openWith(node.privateKey, sealed, `${aad}x`)).toThrow(UnsealError);
      expect(() => openWith(newNodeKeyPair().privateKey, sealed, aad)).toThrow(UnsealError);
    }),
  );
});

test('any flipped bit of an envelope keeps it shut', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const text = Buffer.from(sealFor(node.publicKey, 'group key', 'node|1'));
      const bit = seed % (text.length * 8);
      text[bit >> 3] = (text[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openWith(node.privateKey, text.toString('latin1'), 'node|1')).toThrow(UnsealError);
    }),
    { numRuns: 300 },
  );
});

test('an envelope of a degenerate ephemeral key stays shut', () => {
  const zeroPoint = `h1.${Buffer.alloc(32 + 16 + 4).toString('base64url')}`;
  for (const text of ['', 'h1.', 'h1.AAAA', zeroPoint]) expect(() => openWith(node.privateKey, text, '')).toThrow(UnsealError);
});

test('sealing for something that is no node key is refused', () => {
  for (const wrong of ['', 'AAAA']) expect(() => sealFor(wrong, 'x', '')).toThrow(TypeError);
  expect(() => openWith(newSigningKey().privateKey, 'h1.AAAA', '')).toThrow(TypeError);
});

test('the envelope is the one of RFC 9180, appendix A.1.1', () => {
  const privateKey = '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8';
  const enc = '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431';
  const ciphertext = 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a';
  const pkcs8 = Buffer.from(`302e020100300506032b656e04220420${privateKey}`, 'hex');
  const recipient = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const info = Buffer.from('4f6465206f6e2061204772656369616e2055726e', 'hex');
  const context = { aead: aes128gcm, info, aad: Buffer.from('Count-0') };
  expect(hpkeOpen(recipient, Buffer.from(enc + ciphertext, 'hex'), context).toString()).toBe('Beauty is truth, truth beauty');
});
