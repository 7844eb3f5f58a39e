import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlainText } from './plain-text.js';

const isOrdinary = (byte: number): boolean => byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;

test('nothing but ordinary characters is skipped, and all whole words of them are, wherever a piece lies in memory', () => {
  const odd = fc.record({ at: fc.nat(3_000), byte: fc.constantFrom(0x00, 0x1f, 0x22, 0x5c, 0x80, 0xc3, 0xff) });
  fc.assert(
    fc.property(
      fc.array(odd, { maxLength: 6 }),
      fc.nat(3_000),
      fc.nat(7),
      fc.array(fc.nat(3_000), { maxLength: 6 }),
      (odds, length, offset, asked) => {
        const piece = new Uint8Array(length + offset).subarray(offset).fill(0x61);
        for (const { at, byte } of odds) if (at < length) piece[at] = byte;
        const plain = new PlainText();
        plain.take(piece);
        for (const from of asked.filter((at) => at <= length).sort((a, b) => a - b)) {
          const isWord = from >= plain.start && (from - plain.start) % 4 === 0;
          const end = piece.findIndex((byte, at) => at >= from && !isOrdinary(byte));
          const words = Math.floor(((end < 0 ? length : end) - from) / 4);
          expect(plain.end(from)).toBe(isWord ? from + 4 * words : from);
        }
      },
    ),
    { numRuns: 500 },
  );
});
