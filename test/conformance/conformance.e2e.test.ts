import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isLongLane } from '@portcullis/testing';
import { expect, test } from 'vitest';

const runner = fileURLToPath(new URL('run.mjs', import.meta.url));
const SUITE_MS_MAX = 900_000;

// Needs the built system, which `npm test` has by now. The long lane runs the fixtures of one era as well.
test(
  'an official client can do through a node what it can do with the server itself, but for what expected-failures.yml names',
  async () => {
    const cells = isLongLane ? 'all' : 'both-eras';
    const { stdout, code } = await promisify(execFile)(process.execPath, [runner, '--cells', cells]).then(
      (done) => ({ ...done, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    );
    // The text below the table says what went wrong.
    expect({ code, faults: stdout.split('\n').filter((line) => line !== '' && !line.startsWith('|')) }).toEqual({ code: 0, faults: [] });
    expect(stdout).toContain('| revision |');
  },
  SUITE_MS_MAX,
);
