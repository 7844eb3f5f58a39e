import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CpuBudget } from './cpu-budget.js';

test('a child that takes all it can get is left no more than its share, whenever it is looked at', () => {
  const look = fc.record({ afterMs: fc.integer({ min: 1, max: 3000 }), cores: fc.integer({ min: 0, max: 8 }) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 800 }), fc.array(look, { maxLength: 100 }), (percent, looks) => {
      const budget = new CpuBudget(percent, 0);
      let [now, usedMs, restMs, longestMs] = [0, 0, 0, 0];
      for (const { afterMs, cores } of looks) {
        const tookMs = restMs > 0 ? 0 : afterMs * cores;
        longestMs = Math.max(longestMs, tookMs);
        now += afterMs;
        usedMs += tookMs;
        restMs = budget.restAfter(usedMs, now);
        // Beyond its share it has what it may save, and what it took before that was seen.
        expect(usedMs).toBeLessThanOrEqual((now * percent) / 100 + 1000 + longestMs + 1e-6);
      }
    }),
  );
});

test('a child within its share never rests, however it spreads what it does', () => {
  const parts = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 100 });
  fc.assert(
    fc.property(parts, (used) => {
      const budget = new CpuBudget(50, 0);
      let usedMs = 0;
      for (const [at, tookMs] of used.entries()) {
        usedMs += tookMs;
        expect(budget.restAfter(usedMs, (at + 1) * 1000)).toBe(0);
      }
    }),
  );
});

test('a child that used its share up rests until it has earned what it took', () => {
  const budget = new CpuBudget(20, 0);
  expect(budget.restAfter(1500, 1500)).toBe(1000); // 1 s saved and 300 ms earned: 200 ms too much, at 20 ms in 100
  expect(budget.restAfter(1500, 2000)).toBe(500);
  expect(budget.restAfter(1500, 2500)).toBe(0);
});
