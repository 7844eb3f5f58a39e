import fc from 'fast-check';
import { expect, inject, test } from 'vitest';

const everything = fc.anything();

test('a run of the tests can be had again: what properties draw follows from one seed, and a failure tells it', () => {
  const asked = process.env['PORTCULLIS_SEED'];
  expect(inject('propertySeed')).toBe(asked === undefined ? 20_261_123 : Number(asked));
  expect(fc.sample(everything, 50)).toEqual(fc.sample(everything, { numRuns: 50, seed: inject('propertySeed') }));
  const failing = fc.property(fc.nat(), (drawn) => drawn < 10);
  expect(() => fc.assert(failing)).toThrow(`{ seed: ${String(inject('propertySeed'))}, path: "`);
});

test('the long lane runs a property more often than it says', () => {
  let runs = 0;
  fc.assert(
    fc.property(everything, () => void (runs += 1)),
    { numRuns: 7 },
  );
  expect(runs).toBe(7 * inject('propertyTimes'));
});
