import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RunnerClient, stdioServer } from '../testing/runner-client.js';
import { TestRunner } from '../testing/test-runner.js';
import { membersOf, readProcesses } from './process-table.js';

const SOON = { timeout: 50_000, interval: 20 };
const WINDOW_MS = 2500;
let runner: TestRunner;
beforeAll(async () => {
  runner = await TestRunner.start();
});
afterAll(() => runner.close());

const children = () => membersOf(process.pid, readProcesses()).filter(({ pid }) => pid !== process.pid);
const cpuMs = (): number => children().reduce((sum, one) => sum + one.cpuMs, 0);
const isStopped = ({ pid }: { pid: number }): boolean => {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

test.runIf(process.platform === 'linux')(
  'A123: a child that spins, with what it started, gets its share of processor time, answers whole all the while, and ends when it is told to',
  async () => {
    const client = new RunnerClient(runner.assign('spinning', stdioServer('normal', { limits: { cpuPercent: 10 } })));
    await client.open();
    expect(runner.status('spinning').throttled).toBe(false);
    expect(await client.value('spin')).toBe('spinning');
    await vi.waitFor(() => expect(runner.status('spinning').throttled).toBe(true), SOON);

    const [beganAt, before] = [performance.now(), cpuMs()];
    const text = 'x'.repeat(300_000); // more than a pipe holds, so that it is stopped in the middle of some
    const shareSince = (): number => (cpuMs() - before) / (performance.now() - beganAt);
    // Where it was looked at late it took more, and rests for as much longer: in the long run it has its tenth.
    const isItsShare = (share: number): boolean => share > 0.01 && share < 0.25;
    for (let at = 0; performance.now() - beganAt < WINDOW_MS || !isItsShare(shareSince()); at += 1)
      expect(await client.value('echo', { at, text })).toEqual({ at, text });
    expect(runner.status('spinning')).toMatchObject({ state: 'running', restarts: 0, lastError: null });

    await vi.waitFor(() => expect(children().some(isStopped)).toBe(true), SOON);
    const spinning = children().map(({ pid }) => pid);
    runner.assign('spinning', stdioServer()); // ends the one that rests
    await vi.waitFor(() => expect(children().filter(({ pid }) => spinning.includes(pid))).toEqual([]), SOON);
  },
);
