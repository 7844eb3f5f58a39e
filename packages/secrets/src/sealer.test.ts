import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSealer, deriveKey, newSealingKey, open, openText, seal } from './sealer.js';
import { UnsealError } from './unseal-error.js';

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyAad = fc.string({ unit: 'binary' });

test('what was sealed opens under the same key and place, and never repeats', () => {
  fc.assert(
    fc.property(anyKey, fc.uint8Array({ maxLength: 500 }), anyAad, (key, plaintext, aad) => {
      const sealed = seal(key, plaintext, aad);
      expect(sealed).toMatch(/^v1\.[0-9a-f]{16}\.[A-Za-z0-9_-]+$/);
      expect(open(key, sealed, aad).equals(plaintext)).toBe(true);
      expect(seal(key, plaintext, aad)).not.toBe(sealed);
    }),
  );
});

test('text survives sealing whole', () => {
  const key = newSealingKey().key;
  expect(open(key, seal(key, 'pässwörd 🔑', 'credential|1|1'), 'credential|1|1').toString()).toBe('pässwörd 🔑');
});

test('any flipped bit of a sealed value keeps it shut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (plaintext, seed) => {
      const key = newSealingKey().key;
      const text = Buffer.from(seal(key, plaintext, 'place'));
      const bit = seed % (text.length * 8);
      text[bit >> 3] = (text[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open(key, text.toString('latin1'), 'place')).toThrow(UnsealError);
    }),
    { numRuns: 500 },
  );
});

test('a value moved to another place, key or length stays shut', () => {
  const { key } = newSealingKey();
  const sealed = seal(key, 'secret', 'credential|1|1');
  expect(() => open(key, sealed, 'credential|2|1')).toThrow(UnsealError);
  expect(() => open(newSealingKey().key, sealed, 'credential|1|1')).toThrow(UnsealError);
  for (const text of ['', 'v1', 'v1..', 'v2.x.AAAA', sealed.slice(0, 30), sealed.slice(0, -1), `${sealed}A`, `${sealed}=`]) {
    expect(() => open(key, text, 'credential|1|1')).toThrow(UnsealError);
  }
});

test('a refusal says nothing about the reason', () => {
  const { key } = newSealingKey();
  const refusal = new UnsealError();
  for (const text of ['', seal(key, 'x', 'other'), 'v1.k.AAAA']) expect(() => open(key, text, 'place')).toThrow(refusal.message);
  expect(refusal.cause).toBeUndefined();
  expect(refusal).toMatchObject({ code: 'secrets.unsealable', name: 'UnsealError' });
});

test('a key ring opens two generations and seals with the newer', () => {
  const [first, second, third] = [newSealingKey(), newSealingKey(), newSealingKey()];
  const old = createSealer({ current: first }).seal('session', 'place');
  const ring = createSealer({ current: second, previous: first });
  expect(ring.open(old, 'place').toString()).toBe('session');
  expect(ring.isCurrent(old)).toBe(false);
  expect(ring.isCurrent(ring.seal('session', 'place'))).toBe(true);
  expect(() => createSealer({ current: third, previous: second }).open(old, 'place')).toThrow(UnsealError);
});

test('a sealed value does not open under another key that took its id', () => {
  const sealed = createSealer({ current: { id: 'k1', key: newSealingKey().key } }).seal('x', 'place');
  expect(() => createSealer({ current: { id: 'k1', key: newSealingKey().key } }).open(sealed, 'place')).toThrow(UnsealError);
});

test('the text of what anybody made up is none; another fault is not hidden', () => {
  const ring = createSealer({ current: { id: 'k1', key: newSealingKey().key } });
  expect(openText(ring, ring.seal('pässwörd', 'place'), 'place')).toBe('pässwörd');
  expect(openText(ring, ring.seal('pässwörd', 'place'), 'another')).toBeUndefined();
  expect(openText(ring, 'v1.k1.made-up', 'place')).toBeUndefined();
  const broken = (): Buffer => {
    throw new TypeError('broken');
  };
  expect(() => openText({ open: broken }, '', 'place')).toThrow(TypeError);
});

test('a ring of unfit keys is refused when it is made', () => {
  const key = newSealingKey().key;
  expect(() => createSealer({ current: { id: 'a', key: Buffer.alloc(31) } })).toThrow(TypeError);
  expect(() => createSealer({ current: { id: 'a.b', key } })).toThrow(TypeError);
  expect(() => createSealer({ current: { id: 'a', key }, previous: { id: 'a', key } })).toThrow(TypeError);
});

test('derived keys differ by purpose and by master key, and are the same every time', () => {
  const [one, two] = [newSealingKey().key, newSealingKey().key];
  expect(deriveKey(one, 'pepper')).toEqual(deriveKey(one, 'pepper'));
  expect(deriveKey(one, 'pepper')).not.toEqual(deriveKey(one, 'session'));
  expect(deriveKey(one, 'pepper')).not.toEqual(deriveKey(two, 'pepper'));
});
