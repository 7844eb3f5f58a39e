import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';

const here = (name: string): string => new URL(name, import.meta.url).href;

/** A bench that has started everything it needs, and then ends like this. */
async function startBench(then: string) {
  const program = `
    import { spawn } from 'node:child_process';
    import { startScript } from '${here('start-process.mjs')}';
    import { endWithUs } from '${here('end-with-us.mjs')}';
    const script = await startScript('bare-handler.mjs', [], 'x');
    const other = endWithUs(spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']));
    console.log(script.pid, other.pid);
    ${then}
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const bench = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(here('.')),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => bench.once('close', resolve));
  const line = await new Promise<string>((resolve) => createInterface({ input: bench.stdout }).once('line', resolve));
  const pids = line.split(' ').map(Number);
  return { bench, ended, pids };
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const untilGone = (pids: readonly number[]) => vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: 20_000, interval: 50 });

test.concurrent.each([
  ['fails', `throw new Error('while it starts');`, undefined],
  ['is interrupted', '', 'SIGINT'],
] as const)('a bench that %s leaves nothing running', async (_how, then, signal) => {
  const { bench, ended, pids } = await startBench(then);
  expect(pids).toHaveLength(2);
  if (signal !== undefined) bench.kill(signal);
  await ended;
  await untilGone(pids);
});

test.concurrent('a bench that is killed outright leaves none of its scripts running', async () => {
  const { bench, pids } = await startBench('');
  const [script = 0, other = 0] = pids;
  expect([script, other].map(isRunning)).toEqual([true, true]);
  bench.kill('SIGKILL');
  await untilGone([script]);
  process.kill(other);
});
