import { afterAll, beforeAll, expect, test } from 'vitest';
import { allCases } from './all-cases.js';
import { Laboratory } from './laboratory.js';
import { tableRow } from './report-table.js';
import { runCases } from './run-case.js';
import { seededRandom } from './seeded-random.js';

let lab: Laboratory;
beforeAll(async () => {
  lab = await Laboratory.start();
});
afterAll(() => lab.stop());

const random = seededRandom(19);

test.each(allCases)('$name: $title, and no answered call is lost or doubled', async (one) => {
  const line = await runCases(lab, [one], { times: 3, seconds: (whole) => Math.min(whole, 30), random, isTimed: true });
  console.log(tableRow(line));
  expect(line).toMatchObject({ lost: 0, doubled: 0, wrong: [] });
});
