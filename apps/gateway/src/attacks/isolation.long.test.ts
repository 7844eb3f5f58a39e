import { expect, test } from 'vitest';
import { expectIsolated } from '../testing/expect-isolated.js';
import { runIsolationSoak } from '../testing/isolation-soak.js';

const SECONDS = 120;

test('F40: not one byte crosses from agent to agent, with equal ids and tokens, cancels and hang-ups on three nodes', async () => {
  const outcome = await runIsolationSoak(SECONDS);
  expect(outcome.report.bytes).toBeGreaterThan(0);
  expectIsolated(outcome);
});
