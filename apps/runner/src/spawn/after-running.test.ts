import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { afterRunning } from './after-running.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a child that had to rest is given as much longer', () => {
  const [child, then] = [{ restedMs: 5000 }, vi.fn<() => void>()];
  afterRunning(child, 1000, then);
  child.restedMs += 700;
  vi.advanceTimersByTime(1000);
  child.restedMs += 200;
  vi.advanceTimersByTime(700);
  expect(then).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  expect(then).toHaveBeenCalledOnce();
});

test('nobody is called back who no longer waits', () => {
  const [child, then] = [{ restedMs: 0 }, vi.fn<() => void>()];
  const forget = afterRunning(child, 1000, then);
  child.restedMs += 1;
  vi.advanceTimersByTime(1000);
  forget();
  vi.advanceTimersByTime(5000);
  expect(then).not.toHaveBeenCalled();
});
