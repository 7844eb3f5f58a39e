import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainJson, plainLines, plainText } from './plain-text.js';

describe('plainText', () => {
  it('lets no foreign text reach the terminal as anything but one line of visible characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text, 100)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(Array.from(plainText(text, 100)).length).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('takes out colours, cursor moves and line breaks, and shows what turns text around', () => {
    expect(plainText('a\u001b[2K\u202eb\r\nc\u0007\u200bd')).toBe('a[2K<U+202E>b cd');
  });

  it('gives nothing for what is no text', () => {
    expect(plainText({ toString: () => 'x' })).toBe('');
  });
});

describe('plainLines', () => {
  it('keeps the lines and indentation of our own words, and nothing that acts on a terminal', () => {
    expect(plainLines('not done:\n    a\u001b[2K\u009b1mb\tc\u202e')).toBe('not done:\n    a[2K1mb c<U+202E>');
  });
});

describe('plainJson', () => {
  it('is the same value, written in characters that print', () => {
    fc.assert(
      fc.property(fc.record({ tool: fc.string({ unit: 'binary' }), deep: fc.array(fc.string({ unit: 'grapheme' })) }), (value) => {
        for (const indent of [undefined, 2]) {
          const json = plainJson(value, indent);
          expect(JSON.parse(json)).toEqual(value);
          expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});
