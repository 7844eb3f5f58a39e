import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amountText, microsOf } from './amount.js';

test('amounts are taken and shown to the last millionth', () => {
  expect(['12.5', '0', '0.000001', '999999999.999999'].map(microsOf)).toEqual(['12500000', '0', '1', '999999999999999']);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 999_999_999_999_999n }), (micros) => {
      expect(microsOf(amountText(String(micros)))).toBe(String(micros));
    }),
  );
});

test.each(['', '1,5', '1.', '.5', '-1', '1e3', '0.0000001', '1234567890'])('%j is no amount', (text) => {
  expect(() => microsOf(text)).toThrow('six decimals');
});
