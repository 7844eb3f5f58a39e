import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUnits, unitsAsked } from './result-units.js';

const meta = (value: unknown): string => JSON.stringify({ content: [], _meta: value });

test('only tools that a price asks about are looked at, each unit once', () => {
  const settings = {
    resultUnits: [
      { server: 'llm*', tool: '*', unit: '/usage/tokens' },
      { server: 'llm-1', tool: 'ask', unit: '/usage/tokens' },
      { server: 'llm-1', tool: 'ask', unit: '/cost' },
    ],
  };
  expect(unitsAsked({}, 'llm-1', 'ask')).toEqual([]);
  expect(unitsAsked(settings, 'wiki', 'ask')).toEqual([]);
  for (let round = 0; round < 2; round += 1) expect(unitsAsked(settings, 'llm-1', 'ask')).toEqual(['/usage/tokens', '/cost']);
  expect(unitsAsked(settings, 'llm-2', 'ask')).toEqual(['/usage/tokens']);
});

test('a unit is read in millionths from where the price says, also under names with slashes and tildes', () => {
  expect(readUnits(meta({ usage: { tokens: 1234.5 } }), ['/usage/tokens'])).toEqual({ '/usage/tokens': 1_234_500_000 });
  expect(readUnits(meta({ 'example.com/tok~ens': 0 }), ['/example.com~1tok~0ens', '/gone'])).toEqual({ '/example.com~1tok~0ens': 0 });
  expect(readUnits('{"content":[]}', ['/usage'])).toBeUndefined();
});

test.each([-1, 1e9 + 1, 1e308, '12', null, true, [3], { tokens: 3 }])('%j is nothing that can be charged for', (value) => {
  expect(readUnits(meta({ tokens: value }), ['/tokens'])).toBeUndefined();
});

test('whatever a server reports, what is recorded is a whole number that sums without loss, or nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = readUnits(meta(value), ['/a', '/a/b', '/__proto__/x', '/constructor']);
      for (const units of Object.values(read ?? {})) expect(Number.isSafeInteger(units) && units >= 0).toBe(true);
    }),
  );
});
