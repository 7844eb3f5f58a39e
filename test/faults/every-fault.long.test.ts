import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { allCases } from './all-cases.js';
import { Laboratory } from './laboratory.js';
import { tableRow } from './report-table.js';
import { runCases } from './run-case.js';
import { seededRandom } from './seeded-random.js';

let lab: Laboratory;
let keepFiles = false;
beforeAll(async () => {
  lab = await Laboratory.start();
});
afterAll(() => lab.stop({ keepFiles }));

const random = seededRandom(19);

test.each(allCases)('$name: $title, and no answered call is lost or doubled', async (one) => {
  onTestFailed(() => {
    keepFiles = true;
    console.error(`Logs, spools and the ledger are in ${lab.directory}`);
  });
  // How quick requests are (O9) is for a machine that does nothing else: `npm run faults` judges it.
  const line = await runCases(lab, [one], { times: 3, seconds: (whole) => Math.min(whole, 30), random, isTimed: false });
  console.log(tableRow(line));
  expect(line).toMatchObject({ lost: 0, doubled: 0, wrong: [] });
});
