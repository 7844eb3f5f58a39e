import { expect, test } from 'vitest';
import { RestartPolicy } from './restart-policy.js';

test('a child that fails is started again at once, then ever later, and after five crashes within a minute not at all', () => {
  const policy = new RestartPolicy();
  expect(policy.delayMs(0)).toBe(0);
  const delays: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    policy.failed(count * 10_000, 'crash');
    delays.push(policy.delayMs(count * 10_000));
  }
  expect(delays).toEqual([0, 1000, 2000, 4000]);
  expect(policy.isQuarantined).toBe(false);
  policy.failed(50_000, 'crash');
  expect(policy.isQuarantined).toBe(true);
});

test('crashes that lie far apart are no reason for a quarantine, and an hour later for no delay', () => {
  const policy = new RestartPolicy();
  for (let minute = 0; minute < 60; minute += 1) policy.failed(minute * 15_001, 'crash');
  expect(policy.isQuarantined).toBe(false);
  expect(policy.delayMs(4_000_000)).toBe(0);
});

test('what could not be started at all is tried again for ever', () => {
  const policy = new RestartPolicy();
  for (let count = 0; count < 20; count += 1) policy.failed(count * 100, 'refused');
  expect(policy.isQuarantined).toBe(false);
  expect(policy.delayMs(2000)).toBeGreaterThan(0);
});
