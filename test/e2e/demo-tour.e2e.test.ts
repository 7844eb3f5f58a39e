import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { demoStack } from './demo-stack.js';

const tour = fileURLToPath(new URL('../../apps/demo/dist/tour.js', import.meta.url));

function takeTour(): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [tour, '--data', demoStack().dataDirectory], { timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

// Twice, since it has to leave the demo as it found it.
test('the tour of the demo shows all it says, as often as it is taken, and no secret', { timeout: 150_000 }, async () => {
  for (const _time of [1, 2]) {
    const { code, stdout, stderr } = await takeTour();
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('code-review-agent sees github__create_issue');
    expect(stdout).toContain('a file outside of that folder cannot');
    expect(stdout).toContain('no longer lists it');
    expect(stdout).toContain('on record');
    const { operatorToken, agents } = demoStack();
    for (const secret of [operatorToken, ...Object.values(agents)]) expect(stdout).not.toContain(secret);
  }
});
