import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITE = createRequire(import.meta.url)
  .resolve('@modelcontextprotocol/conformance/package.json')
  .replace('package.json', 'dist/index.js');
const SUITE_MS_MAX = 600_000;

/**
 * Runs the suite's server scenarios that a revision asks for against `url`. Each result is `{ name, passed, failed, isScored, faults }`, where
 * numbers count checks and `faults` say what was wrong with each that failed. Rejects when the suite did not get as far as a summary.
 */
export async function runSuite(url, requirements) {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-conformance-'));
  try {
    const output = await runSuiteCommand(['server', '--url', url, '--requirements', requirements, '-o', directory]);
    const results = parseSummary(output);
    if (results.length === 0) throw new Error(`The suite gave no summary:\n${output.slice(-2_000)}`);
    return await Promise.all(results.map(async (result) => ({ ...result, faults: result.failed > 0 ? await faultsOf(directory, result.name) : [] })));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a command of the suite writes. Its own exit code says only whether something scored failed, which is for the caller to judge. */
export function runSuiteCommand(args, environment = {}) {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 1 << 28, timeout: SUITE_MS_MAX, env: { ...process.env, ...environment } };
    execFile(process.execPath, [SUITE, ...args], options, (error, stdout, stderr) => {
      if (error?.killed) reject(new Error(`The suite was not done after ${SUITE_MS_MAX / 1000} s`));
      else resolve(`${stdout}\n${stderr}`);
    });
  });
}

/** Scenario lines stand below "=== SUMMARY ==="; those that do not count are named again below "Not scored for". */
export function parseSummary(output) {
  const [, summary = ''] = output.split('=== SUMMARY ===');
  const [counted = '', uncounted = ''] = summary.split(/^Not scored for.*$/m);
  const unscored = new Set([...uncounted.matchAll(/^\s+[✓✗] (\S+) \(/gm)].map(([, name]) => name));
  return [...counted.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)].map(([, name, passed, failed]) => ({
    name,
    passed: Number(passed),
    failed: Number(failed),
    isScored: !unscored.has(name),
  }));
}

/** The suite keeps each scenario's checks in `server-<scenario>-<time>/checks.json`. */
async function faultsOf(directory, scenario) {
  const folders = (await readdir(directory)).filter((name) => name.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '') === `server-${scenario}`);
  const texts = await Promise.all(folders.map((folder) => readFile(join(directory, folder, 'checks.json'), 'utf8').catch(() => '[]')));
  const failed = texts.flatMap((text) => JSON.parse(text)).filter((check) => check.status === 'FAILURE');
  return failed.map((check) => `${check.id}: ${check.errorMessage ?? check.description}`);
}
