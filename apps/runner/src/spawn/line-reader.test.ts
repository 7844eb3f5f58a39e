import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from './line-reader.js';

function linesOf(chunks: readonly Uint8Array[], bytesMax = 1000): string[] {
  const lines: string[] = [];
  const reader = new LineReader(bytesMax, { line: (bytes) => lines.push(bytes.toString('latin1')), tooLong: () => lines.push('(too long)') });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return lines;
}

test('lines are the same however the bytes come', () => {
  const bytes = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\u00ff'), maxLength: 300 }).map((text) => Buffer.from(text, 'latin1'));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(300)), (all, cuts) => {
      const places = [0, ...cuts.filter((cut) => cut < all.length).toSorted((a, b) => a - b), all.length];
      const pieces = places.slice(1).map((end, at) => all.subarray(places[at], end));
      expect(linesOf(pieces, 20)).toEqual(linesOf([all], 20));
    }),
  );
});

test('of a line over the limit nothing is kept, and the next one is read', () => {
  expect(linesOf([Buffer.from('x'.repeat(700)), Buffer.from('x'.repeat(700)), Buffer.from('x\nnext\n')])).toEqual(['(too long)', 'next']);
});

test('a child that writes byte by byte is read', () => {
  const text = 'y'.repeat(5000);
  expect(
    linesOf(
      Array.from(Buffer.from(`${text}\n`), (byte) => Uint8Array.of(byte)),
      10_000,
    ),
  ).toEqual([text]);
});
