import { describe, expect, it } from 'vitest';
import { BackOff } from './kept.js';

describe('BackOff', () => {
  it('waits longer after each end, up to ten seconds', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 8 }, () => backOff.nextMs(0));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('takes the end of a part that ran for long as a new fault', () => {
    const backOff = new BackOff();
    backOff.nextMs(0);
    backOff.nextMs(0);
    backOff.started(1_000);
    expect(backOff.nextMs(40_000)).toBe(250);
  });
});
