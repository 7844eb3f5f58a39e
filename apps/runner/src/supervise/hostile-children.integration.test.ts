import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { membersOf, readProcesses } from '../sandbox/process-table.js';
import { RunnerClient, stdioServer, valueOf } from '../testing/runner-client.js';
import { ACCESS_TOKEN, TestRunner } from '../testing/test-runner.js';

const isLinux = process.platform === 'linux';
const SOON = { timeout: 20_000, interval: 20 };
const MIB = 1024 * 1024;
let runner: TestRunner;
beforeAll(async () => {
  runner = await TestRunner.start();
});
afterAll(() => runner.close());

async function serve(slug: string, ...profile: Parameters<typeof stdioServer>): Promise<RunnerClient> {
  const opened = new RunnerClient(runner.assign(slug, stdioServer(...profile)));
  await opened.open();
  return opened;
}

/** All processes that this test's children are, or have started. */
const ours = () => membersOf(process.pid, readProcesses()).filter(({ pid }) => pid !== process.pid);
const commandOf = (pid: number | string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
};
const isZombie = (pid: number): boolean => {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

test('A123: junk, binary, half messages and pieces of lines are skipped and counted, and the answer among them is found', async () => {
  const client = await serve('junk');
  const answer = await client.call('junk');
  expect(answer.result?.['content']).toEqual([{ type: 'text', text: 'after\njunk' }]);
  // The line that looks like the answer but goes on is none.
  expect(runner.status('junk').junkLines).toBe(5);
  expect(await client.value('echo', { still: 'here' })).toEqual({ still: 'here' });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** What is not garbage. */
function keptBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('A123: of a line of 50 MiB nothing is kept; the call it answers is told so, and the next one works', async () => {
  const client = await serve('long-line');
  const before = keptBytes();
  const answer = await client.call('long-line');
  expect(answer.error).toMatchObject({ data: { reason: 'runner.too_large', mayHaveRun: true } });
  expect(keptBytes() - before).toBeLessThan(10 * MIB);
  await vi.waitFor(async () => expect(await client.value('echo', { at: 1 })).toEqual({ at: 1 }), SOON);
});

test('A123: a flood on stderr is read slowly, kept short and without the secrets of the environment', async () => {
  const profile = stdioServer('normal', { environment: { TOKEN: { secret: 'TOKEN' } } });
  const client = new RunnerClient(runner.assign('flood', profile, { secrets: { TOKEN: 'canary-4711-secret' } }));
  await client.open();
  const startedAt = performance.now();
  expect(await client.value('stderr-flood')).toBe('flooded');
  expect(performance.now() - startedAt).toBeGreaterThan(500);
  const log = runner.log('flood');
  expect(log.length).toBeLessThanOrEqual(16_384);
  await vi.waitFor(() => expect(runner.log('flood')).toContain('the end'), SOON);
  expect(log).not.toContain('canary-4711');
});

test('A123: a child that never reads is started in vain, and its callers are told that nothing has run', async () => {
  const client = new RunnerClient(runner.assign('deaf', stdioServer('deaf')));
  const opening = client.post({ id: 1, method: 'initialize', params: {} });
  await vi.waitFor(() => expect(ours().filter(({ pid }) => commandOf(pid).endsWith('deaf\0'))).not.toEqual([]), SOON);
  expect(runner.status('deaf').state).toBe('starting');
  runner.assign('deaf', stdioServer());
  const told = await opening;
  expect([told.status, await told.json()]).toMatchObject([503, { error: { data: { mayHaveRun: false } } }]);
  expect((await client.open()).result).toBeDefined();
});

test('A123: a child that ends at once is started five times, then stays down until an operator has looked at it', async () => {
  const client = new RunnerClient(runner.assign('exits', stdioServer('exit')));
  const reasons: unknown[] = [];
  for (let count = 0; count < 6; count += 1) {
    runner.clock.skippedMs += 5000;
    const response = await client.post({ id: 1, method: 'initialize', params: {} });
    expect(response.status).toBe(503);
    const { error } = (await response.json()) as { error: { data: { reason: string; mayHaveRun: boolean } } };
    expect(error.data.mayHaveRun).toBe(false);
    reasons.push(error.data.reason);
  }
  expect(reasons.at(-1)).toBe('runner.quarantined');
  expect(runner.status('exits')).toMatchObject({ state: 'quarantined', instances: 0, lastError: 'The server ended by itself' });
  runner.assign('exits', stdioServer('exit'), { generation: 1 });
  expect(runner.status('exits').state).toBe('idle');
});

test('A123: an agent whose own child ends again and again is not given more of them for being another client each time', async () => {
  const url = runner.assign('exits-for-one', stdioServer('exit', { instances: { mode: 'per-agent', most: 5 } }));
  const reasons: unknown[] = [];
  for (let count = 0; count < 6; count += 1) {
    runner.clock.skippedMs += 5000;
    reasons.push((await new RunnerClient(url).open({ experimental: { count } })).error?.data?.['reason']);
  }
  expect(reasons.at(-1)).toBe('runner.quarantined');
  expect((await new RunnerClient(url, 'agent-2').open()).error?.data?.['reason']).not.toBe('runner.quarantined');
});

test('F47: a child that crashes in the middle of calls answers them with an error that says so, and the next call works', async () => {
  const client = await serve('crash');
  const other = new RunnerClient(runner.urlOf('crash'), 'agent-2');
  await other.open();
  const waiting = other.call('wait');
  await vi.waitFor(async () => expect(((await client.value('cancelled')) as { waiting: unknown[] }).waiting).toHaveLength(1), SOON);
  const [crashed, waited] = await Promise.all([client.call('crash'), waiting]);
  for (const answer of [crashed, waited]) {
    expect(answer.error).toMatchObject({ code: -32603, data: { reason: 'runner.child_ended', mayHaveRun: true } });
  }
  expect(await client.value('echo', { again: true })).toEqual({ again: true });
  expect(runner.status('crash')).toMatchObject({ state: 'running', restarts: 1, instances: 1 });
});

test('F47: of a child that floods stdout with junk little is read, and others are served', async () => {
  const other = await serve('unspammed');
  const beganAt = performance.now();
  const opening = new RunnerClient(runner.assign('spam', stdioServer('spam'))).open();
  opening.catch(() => undefined);
  await vi.waitFor(() => expect(runner.status('spam').junkLines).toBeGreaterThan(1000), SOON);
  for (let at = 0; at < 20; at += 1) expect(await other.value('echo', { at })).toEqual({ at });
  // Two MiB a second, and a piece more, with what each line costs besides. It writes a hundred times as many.
  const seconds = (performance.now() - beganAt) / 1000;
  expect(runner.status('spam').junkLines).toBeLessThan(50_000 * (seconds + 1));
  runner.assign('spam', stdioServer());
});

test.runIf(isLinux)('F47: a child that ignores that it is to end is ended with all it started, and leaves no zombie', async () => {
  const client = await serve('stubborn', 'stubborn');
  expect(await client.value('orphan', { seconds: ORPHAN_SECONDS })).toBe('orphaned');
  const before = ours().map(({ pid }) => pid);
  expect(before.length).toBeGreaterThan(0);
  const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && sleeps(name));
  expect(left).toHaveLength(1);
  runner.assign('stubborn', stdioServer());
  await vi.waitFor(() => expect(left.filter((name) => existsSync(`/proc/${name}`) && sleeps(name))).toEqual([]), SOON);
  await vi.waitFor(() => expect(ours().filter(({ pid }) => isZombie(pid))).toEqual([]), SOON);
});

/** No other test's orphans sleep as long. */
const ORPHAN_SECONDS = `30.${process.pid}`;

const sleeps = (name: string): boolean => commandOf(name).startsWith(`sleep\0${ORPHAN_SECONDS}\0`);

test.runIf(isLinux)('A123: a fork bomb is ended with all of its processes, and nobody else', async () => {
  const [bomb, other] = await Promise.all([serve('bomb', 'normal', { limits: { processes: 10 } }), serve('bystander')]);
  await bomb.call('fork');
  await vi.waitFor(() => expect(runner.status('bomb')).toMatchObject({ instances: 0 }), SOON);
  expect(runner.status('bomb').lastError).toMatch(/It had \d+ processes, of 10 allowed/);
  await vi.waitFor(() => expect(ours().length).toBeLessThan(60), SOON);
  expect(await other.value('echo', { unharmed: true })).toEqual({ unharmed: true });
  expect(runner.status('bystander').restarts).toBe(0);
});

test.runIf(isLinux)('A123: a memory hog is ended at its limit, the call says so, and the next one works', async () => {
  const hog = await serve('hog', 'normal', { limits: { memoryMib: 150 } });
  const answer = await hog.call('memory');
  expect(answer.error).toMatchObject({ data: { reason: 'runner.child_ended' } });
  expect(runner.status('hog').lastError).toMatch(/It took \d+ MiB of memory, of 150 allowed/);
  expect(valueOf(await hog.call('echo', { after: 1 }))).toEqual({ after: 1 });
});

test('however many agents come at once, no more children of their own run than the profile says', async () => {
  const url = runner.assign('herd', stdioServer('normal', { instances: { mode: 'per-agent', most: 2 } }));
  const opened = await Promise.all(Array.from({ length: 6 }, (_, at) => new RunnerClient(url, `agent-${at}`).open()));
  expect(opened.filter(({ result }) => result !== undefined).length).toBeGreaterThan(0);
  await vi.waitFor(() => expect(runner.status('herd').instances).toBeLessThanOrEqual(2), SOON);
});

test('however many agents come at once, no more children run than the runner may', async () => {
  const small = await TestRunner.start({ capacity: 2 });
  const url = small.assign('herd', stdioServer('normal', { instances: { mode: 'per-agent', most: 100 } }));
  const clients = Array.from({ length: 6 }, (_, at) => new RunnerClient(url, `agent-${at}`));
  await Promise.all(clients.map((client) => client.open()));
  await vi.waitFor(() => expect(small.status('herd').instances).toBeLessThanOrEqual(2), SOON);
  await small.close();
});

test('a child that nobody uses is ended, and started again for whoever comes', async () => {
  const idle = await serve('idle', 'normal', { idleSeconds: 10 });
  runner.clock.skippedMs += 11_000;
  await vi.waitFor(() => expect(runner.status('idle')).toMatchObject({ state: 'idle', instances: 0, restarts: 0 }), SOON);
  expect(await idle.value('echo', { woken: true })).toEqual({ woken: true });
});

test('F48: when the node that called is killed, what it called for is cancelled at the child, which goes on for others', async () => {
  const client = await serve('orphaned');
  const headers = {
    authorization: `Bearer ${ACCESS_TOKEN}`,
    'content-type': 'application/json',
    'mcp-session-id': client.sessionId,
    'portcullis-agent': 'agent-1',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wait' } });
  const script = `fetch(${JSON.stringify(runner.urlOf('orphaned'))}, ${JSON.stringify({ method: 'POST', headers, body })})`;
  const node = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  await vi.waitFor(async () => expect(((await client.value('cancelled')) as { waiting: unknown[] }).waiting).toHaveLength(1), SOON);
  node.kill('SIGKILL');
  await vi.waitFor(async () => {
    const { cancelled, waiting } = (await client.value('cancelled')) as { cancelled: unknown[]; waiting: unknown[] };
    expect(cancelled).toEqual(waiting);
  }, SOON);
  expect(runner.status('orphaned')).toMatchObject({ state: 'running', restarts: 0 });
});
