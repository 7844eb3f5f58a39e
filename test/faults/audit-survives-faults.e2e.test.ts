import { afterAll, beforeAll, expect, test } from 'vitest';
import { allCases } from './all-cases.js';
import { Laboratory } from './laboratory.js';
import { runCases } from './run-case.js';
import { seededRandom } from './seeded-random.js';

let lab: Laboratory;
beforeAll(async () => {
  lab = await Laboratory.start();
});
afterAll(() => lab.stop());

const random = seededRandom(5);

/** Once, and only as long as it takes to show. */
async function verdictOf(names: readonly string[]): Promise<object> {
  const cases = names.map((name) => allCases.find((one) => one.name === name)).filter((one) => one !== undefined);
  const slow = cases.map((one) => ({ ...one, perSecond: 40 }));
  const { answered, rows, lost, doubled, wrong } = await runCases(lab, slow, { times: 1, seconds: () => 0, random, isTimed: false });
  expect(answered).toBeGreaterThan(0);
  expect(rows).toBeGreaterThanOrEqual(answered);
  return { lost, doubled, wrong };
}

// In one go: waiting until everything is stored is most of what a case takes.
test(
  'killed nodes, workers, Redis and Postgres, and what agents send to choke them, lose no answered call and double none',
  { timeout: 600_000 },
  async () => {
    expect(await verdictOf(['F1', 'F2', 'F16', 'F4', 'F10', 'F5'])).toEqual({ lost: 0, doubled: 0, wrong: [] });
  },
);
