import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from './plain-text.js';

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
