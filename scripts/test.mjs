// npm test: install what is missing, then every check and every test. The last line is the verdict: "N passed, N failed".
//   --all   the long lane as well, and what the tests cover (npm run verify)
//   else    arguments go to vitest, and only the tests they choose are run
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, environment, generate, install, root, say, step, StepFailed } from './workspace.mjs';

const args = process.argv.slice(2);
const all = args.includes('--all');
const chosen = args.filter((argument) => argument !== '--all');
const report = join(root, '.local/test-report.json');
const checks = [
  ['Checking the types of tests', 'tsc', ['-b', 'test', 'test/tsconfig.colocated.json']],
  ['Linting', 'oxlint', ['--type-aware']],
  ['Checking the format', 'prettier', ['--check', '--log-level=warn', '.']],
];

const totals = { passed: 0, failed: 0, skipped: 0 };
try {
  await install();
  await generate();
  await build();
  if (chosen.length === 0) await Promise.all(checks.map(counted));
  add(await vitest());
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  fault(error);
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
say(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** A check that fails counts as one failure, and the others still run. */
async function counted([what, command, parameters]) {
  await step(what, command, parameters).catch(fault);
}

function fault(error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  totals.failed += 1;
}

function vitest() {
  mkdirSync(join(root, '.local'), { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const extent = all ? ['--coverage', ...chosen] : chosen;
  const env = environment(all ? longLane() : {});
  const child = spawn('vitest', ['run', ...reporters, ...extent], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  // A terminal tells vitest itself of Ctrl-C; this process stays to give the verdict.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
}

/** Properties draw something else each time; what they drew can be had again. */
function longLane() {
  const seed = process.env.PORTCULLIS_SEED ?? String(randomInt(2 ** 31));
  say(`The seed of all properties is ${seed}: PORTCULLIS_SEED=${seed} draws the same again.`);
  return { PORTCULLIS_LONG: '1', PORTCULLIS_SEED: seed };
}

/** Sums vitest's own report. A run that went wrong without a failed test (a file that does not load, an error nobody caught) has failed too. */
function add(outcome) {
  let result = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.error(`vitest left no report (${outcome}): ${error.message}`);
  }
  const broken = result.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'));
  for (const file of broken) console.error(`${file.name} did not run: ${file.message}`);
  const failed = result.numFailedTests + broken.length;
  totals.passed += result.numPassedTests;
  totals.failed += outcome === 0 ? failed : Math.max(failed, 1);
  totals.skipped += result.numPendingTests + result.numTodoTests;
}
