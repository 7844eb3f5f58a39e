import { RATE_SLICES } from '@portcullis/contracts/limits';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlidingWindow } from './sliding-window.js';

const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });

test('no window sees more than the limit, whenever calls come', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 }), pauses, (most, seconds, waits) => {
      const windowMs = seconds * 1000;
      const window = new SlidingWindow(most, windowMs);
      const taken: number[] = [];
      let now = 12_345;
      for (const wait of waits) {
        now += wait;
        if (window.take(now)) taken.push(now);
      }
      for (const from of taken) expect(taken.filter((at) => at >= from && at < from + windowMs).length).toBeLessThanOrEqual(most);
    }),
  );
});

test('a place is free when the time it names is over, at most a tenth of the window late', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), pauses, (most, waits) => {
      const window = new SlidingWindow(most, 1000);
      const taken: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        const wasFree = taken.filter((at) => at > now - 1000 - 1000 / RATE_SLICES).length < most;
        const freeInMs = window.freeInMs(now);
        if (wasFree) expect(freeInMs).toBe(0);
        if (freeInMs > 0) {
          expect(window.take(now)).toBe(false);
          now += freeInMs;
        }
        expect(window.take(now)).toBe(true);
        taken.push(now);
      }
    }),
  );
});
