import fc from 'fast-check';
import { expect, test } from 'vitest';
import { priceSpans, type AppliedPrice } from './price-spans.js';

let made = 0;
const price = (server: string, tool: string, from: number, amount = 1): AppliedPrice => ({
  id: String((made += 1)).padStart(6, '0'),
  server,
  tool,
  basis: 'call',
  unit: null,
  amountMicros: BigInt(amount),
  per: 1n,
  currency: 'EUR',
  effectiveFrom: new Date(from),
});
const told = (prices: readonly AppliedPrice[], server: string, tool: string) =>
  priceSpans(prices, server, tool).map(({ price: { amountMicros }, fromMs, toMs }) => [Number(amountMicros), fromMs, toMs]);

test('a later price of the same names follows the one before, and names that say more come first', () => {
  const prices = [
    price('*', '*', 0, 1),
    price('git*', '*', 10, 2),
    price('github', '*', 20, 3),
    price('github', 'search', 30, 4),
    price('github', 'search', 40, 0),
  ];
  expect(told(prices, 'github', 'search')).toEqual([
    [1, 0, 10],
    [2, 10, 20],
    [3, 20, 30],
    [4, 30, 40],
    [0, 40, null],
  ]);
  expect(told(prices, 'gitlab', 'search')).toEqual([
    [1, 0, 10],
    [2, 10, null],
  ]);
  expect(told([price('github', 'search', 5)], 'github', 'other')).toEqual([]);
});

test('every moment has one price at most, whatever order prices are told in', () => {
  const some = fc.record({ server: fc.constantFrom('*', 'a*', 'ab', 'b'), tool: fc.constantFrom('*', 'x*', 'x'), from: fc.nat(5) });
  fc.assert(
    fc.property(fc.uniqueArray(some, { selector: ({ server, tool, from }) => `${server} ${tool} ${from}`, maxLength: 12 }), (all) => {
      const prices = all.map(({ server, tool, from }) => price(server, tool, from));
      const spans = priceSpans(prices, 'ab', 'x');
      for (const [place, { fromMs, toMs }] of spans.entries()) {
        expect(toMs ?? Infinity).toBeGreaterThan(fromMs);
        expect(spans[place + 1]?.fromMs ?? toMs).toBe(toMs);
      }
      expect(priceSpans(prices.toReversed(), 'ab', 'x')).toEqual(spans);
    }),
  );
});
