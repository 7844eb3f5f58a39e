import { expect, test } from 'vitest';
import { periodAt, rateUse } from './index.js';

test('a day and a month end where the next begin, in UTC', () => {
  const now = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
  expect(periodAt('day', now)).toEqual({ name: '2026-12-31', endsAt: Date.UTC(2027, 0, 1) });
  expect(periodAt('month', now)).toEqual({ name: '2026-12', endsAt: Date.UTC(2027, 0, 1) });
  expect(periodAt('month', Date.UTC(2028, 1, 29))).toEqual({ name: '2028-02', endsAt: Date.UTC(2028, 2, 1) });
});

test('what was leased counts for a window and two slices, and until then a rate that is used up has nothing', () => {
  const rate = { kind: 'rate', calls: 5, perSeconds: 10 } as const;
  expect(rateUse(rate, { '100': '2', '111': '2', '99': '7' }, 111_500)).toEqual({ used: 4, freeInMs: 0 });
  expect(rateUse(rate, { '100': '2', '111': '3' }, 111_500)).toEqual({ used: 5, freeInMs: 500 });
  expect(rateUse(rate, { '100': '2', '111': '3' }, 112_000)).toEqual({ used: 3, freeInMs: 0 });
  expect(rateUse(rate, { '111': '1', '112': '1', '113': '9' }, 111_500)).toEqual({ used: 2, freeInMs: 0 });
});
