import { expect, test } from 'vitest';
import { compareTimings } from './compare-timings.js';

const spread = (from: number): number[] => Array.from({ length: 1000 }, (_, at) => from + ((at * 7919) % 1000) / 10);

test('equal timings are told apart by nothing', () => {
  const { t, effect, medians } = compareTimings(spread(100), spread(100));
  expect([t, effect]).toEqual([0, 0.5]);
  expect(medians).toEqual([150, 150]);
});

test('what always takes longer is told apart by every pair', () => {
  const { t, effect } = compareTimings(spread(300), spread(100));
  expect(t).toBeGreaterThan(50);
  expect(effect).toBe(1);
  expect(compareTimings(spread(100), spread(300)).effect).toBe(0);
});

test('a shift of a tenth of the spread shows in both numbers, and a few that took very long do not hide it', () => {
  const { t, effect } = compareTimings([...spread(110), 1e6], [...spread(100), 1e7]);
  expect(t).toBeGreaterThan(3);
  expect(effect).toBeGreaterThan(0.55);
  expect(effect).toBeLessThan(0.65);
});
