import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readFileSync, realpathSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import { readProcesses } from '../sandbox/process-table.js';
import { launchChain } from '../sandbox/sandbox.js';
import { RunnerClient, stdioServer } from '../testing/runner-client.js';
import { TestRunner } from '../testing/test-runner.js';

const isLinux = process.platform === 'linux';
let runner: TestRunner;
beforeAll(async () => {
  process.env['PORTCULLIS_CANARY'] = 'a secret of the runner';
  process.env['NODE_OPTIONS'] ??= '';
  runner = await TestRunner.start();
});
afterAll(async () => {
  delete process.env['PORTCULLIS_CANARY'];
  await runner.close();
});

interface Self {
  readonly uid: number;
  readonly cwd: string;
  readonly args: string[];
  readonly status: string;
  readonly limits: string;
  readonly processes: number;
}

async function serve(slug: string, profile: ReturnType<typeof stdioServer>, secrets?: Record<string, string>): Promise<RunnerClient> {
  const client = new RunnerClient(runner.assign(slug, profile, secrets && { secrets }));
  const { error } = await client.open();
  expect(error).toBeUndefined();
  return client;
}

test('A122: a child has the variables that its profile names, and none of the runner', async () => {
  const environment = { PLAIN: { value: '${HOME} $(id) {{secret}}' }, TOKEN: { secret: 'STORED' } };
  const client = await serve('environ', stdioServer('normal', { environment }), { STORED: 'opened', OTHER: 'not named' });
  const home = ((await client.value('self')) as Self).cwd;
  expect(((await client.value('environ')) as string[]).toSorted()).toEqual(
    [`HOME=${home}`, 'PLAIN=${HOME} $(id) {{secret}}', `TMPDIR=${home}`, 'TOKEN=opened'].toSorted(),
  );
});

test('A122: what every program obeys before it does anything never reaches those that put up the walls', async () => {
  if (!runner.sandbox.isRoot) return;
  const client = new RunnerClient(runner.assign('preloaded', stdioServer('normal', { environment: { LD_PRELOAD: { value: '/tmp/any.so' } } })));
  expect((await client.open()).error).toMatchObject({ data: { reason: 'runner.start_failed' } });
  expect(runner.status('preloaded').lastError).toMatch(/^LD_PRELOAD would be obeyed by the programs that put up the walls/);
});

test('A120: arguments reach the program letter for letter, with no shell between', async () => {
  const hostile = ['; touch x', '$(id)', '`id`', '--require=./evil.js', '-e', 'a b', '"', "'", '', '*', '~', '\n'];
  const profile = stdioServer();
  const client = await serve('args', { ...profile, args: [...(profile.args ?? []), ...hostile] });
  expect(((await client.value('self')) as Self).args).toEqual(['normal', ...hostile]);
});

test('A120: a profile that is not the one that was approved is not started', () => {
  runner.assign('approved', stdioServer());
  const approved = runner.assignmentOf('approved');
  if (approved === undefined) throw new Error('not assigned');
  const changed = { ...approved.profile, args: ['-e', 'evil()'] };
  runner.host.apply([{ ...approved, slug: 'changed' as typeof approved.slug, profile: changed }]);
  expect(runner.host.statuses()).toEqual([expect.objectContaining({ state: 'failed', lastError: 'The profile is not the one that was approved' })]);
  expect(runner.host.find('changed')).toBeUndefined();
});

test('A117: a program that is none is never started, and the server says why', async () => {
  const client = new RunnerClient(runner.assign('nothing', { program: { kind: 'executable', path: '/nowhere/server' } }));
  const response = await client.post({ id: 1, method: 'initialize', params: {} });
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { data: { reason: 'runner.start_failed', mayHaveRun: false } } });
  expect(runner.status('nothing')).toMatchObject({ lastError: '/nowhere/server does not exist on this runner', instances: 0 });
});

test.runIf(isLinux)('A123: a child stands behind every wall that this machine allows, and the runner says which it does not', async () => {
  const client = await serve('walls', stdioServer('normal', { limits: { openFiles: 200, fileMib: 1 } }));
  const { uid, status, limits, processes } = (await client.value('self')) as Self;
  const { report, isRoot } = runner.sandbox;
  if (report.noNewPrivileges.enforced) expect(status).toMatch(/NoNewPrivs:\t1/);
  if (isRoot) {
    expect(uid).toBeGreaterThanOrEqual(100_000);
    expect(status).toMatch(/CapEff:\t0000000000000000/);
    expect(status).toMatch(/CapBnd:\t0000000000000000/);
  }
  if (report.pidNamespace.enforced) expect(processes).toBeLessThanOrEqual(2);
  expect(limits).toMatch(/Max open files +200 +200/);
  expect(limits).toMatch(/Max core file size +0 +0/);
  expect(await client.value('write', { bytes: 512 * 1024 })).toBe('written');
  expect(await client.value('write', { bytes: 2 * 1024 * 1024 })).not.toBe('written');
  for (const wall of Object.values(report)) if (!wall.enforced) expect(wall.reason).not.toBe('');
});

test.runIf(isLinux)('A123: a child reads nothing of the runner or of other servers', async () => {
  const [client, other] = await Promise.all([serve('walls', stdioServer()), serve('neighbour', stdioServer())]);
  if (!runner.sandbox.isRoot) return;
  const kept = await client.value('read', { path: `${runner.folder}/server-users.json` });
  expect(kept).toMatch(/EACCES/);
  const own = (await client.value('self')) as Self;
  const neighbour = (await other.value('self')) as Self;
  expect(neighbour.uid).not.toBe(own.uid);
  expect(await client.value('read', { path: `${neighbour.cwd}/file` })).toMatch(/EACCES/);
});

test.runIf(isLinux)('A123: without leave a child reaches no network, this machine included', async () => {
  const server = createServer((_, response) => response.end('in'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const [closed, open] = await Promise.all([serve('closed', stdioServer()), serve('open', stdioServer('normal', { network: 'outbound' }))]);
  if (runner.sandbox.report.networkNamespace.enforced) expect(await closed.value('connect', { url })).not.toBe(200);
  expect(await open.value('connect', { url })).toBe(200);
  server.close();
});

test.runIf(isLinux)('what a child leaves behind is reaped while it runs', async () => {
  const client = await serve('orphans', stdioServer());
  if (!runner.sandbox.hasInit) return;
  await client.value('orphan');
  await vi.waitFor(async () => expect(await client.value('states')).not.toContain('Z'), { timeout: 20_000 });
});

test.runIf(isLinux)('F47: whatever kills the runner ends its children, and what these have started', async () => {
  if (!runner.sandbox.report.noNewPrivileges.enforced) return;
  const { limits, network, instances } = LaunchProfile.parse(stdioServer());
  const mark = `sleep ${String(1e6 + process.pid)}`;
  const child = [...launchChain(runner.sandbox, { limits, network, instances }, undefined), '/bin/sh', '-c', `setsid ${mark} & ${mark}; true`];
  const [file, ...args] = child;
  const script = `require('node:child_process').spawn(${JSON.stringify(file)}, ${JSON.stringify(args)}, { detached: true, stdio: 'ignore' })`;
  const killed = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const running = () => readProcesses().filter(({ pid }) => commandOf(pid) === mark).length;
  await vi.waitFor(() => expect(running()).toBe(2), { timeout: 10_000 });
  killed.kill('SIGKILL');
  await vi.waitFor(() => expect(running()).toBe(runner.sandbox.report.pidNamespace.enforced ? 0 : 1), { timeout: 10_000 });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

test('on a machine that allows no wall servers run all the same, and end with what they started', async () => {
  const none = { setpriv: undefined, prlimit: undefined, unshare: undefined, shell: undefined };
  const bare = await TestRunner.start({ sandbox: { tools: none, namespaces: [], networkFlag: undefined, hasInit: false, isRoot: false } });
  const client = new RunnerClient(bare.assign('bare', stdioServer()));
  expect((await client.open()).error).toBeUndefined();
  const { pid, args } = (await client.value('self')) as Self & { pid: number };
  expect(args).toEqual(['normal']);
  expect((await client.call('crash')).error).toMatchObject({ data: { reason: 'runner.child_ended' } });
  expect(commandOf(pid)).toBe('');
  expect(await client.value('echo', { again: 1 })).toEqual({ again: 1 });
  await bare.close();
});

test('a working folder that is not there is said, not made', async () => {
  const client = new RunnerClient(runner.assign('homeless', stdioServer('normal', { workingFolder: '/nowhere/at/all' })));
  await client.post({ id: 1, method: 'initialize', params: {} });
  expect(runner.status('homeless').lastError).toBe('The working folder /nowhere/at/all does not exist on this runner');
  expect(realpathSync(process.execPath)).toMatch(/^\//);
});
