import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';

const children: ChildProcess[] = [];
const patience = { timeout: 15_000, interval: 20 };

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

test('SIGTERM runs the closers, last first, and ends with 0', async () => {
  const run = start(`onClose('spool', flush('spool')); onClose('server', flush('server'));`);
  await run.says('started');
  run.child.kill('SIGTERM');
  expect(await run.code).toBe(0);
  expect(run.output().indexOf('closed server')).toBeGreaterThan(0);
  expect(run.output().indexOf('closed spool')).toBeGreaterThan(run.output().indexOf('closed server'));
});

test.each([
  ['an uncaught exception', `setTimeout(() => { throw new Error('boom') })`],
  ['an unhandled rejection', `setTimeout(() => { Promise.reject('a text') })`],
  ['a thrown nothing', `setTimeout(() => { throw undefined })`],
  ['a circular thing thrown', `setTimeout(() => { const c = { n: 1n }; c.c = c; throw c })`],
])('%s flushes the spool and ends with 1', async (_, code) => {
  const run = start(`onClose('spool', flush('spool')); ${code}`);
  expect(await run.code).toBe(1);
  expect(run.output()).toContain('closed spool');
  expect(run.output()).toContain('Error that nobody caught');
});

test('a process that cannot start closes what it had opened and ends with 1', async () => {
  const run = start(`onClose('pool', flush('pool')); throw new Error('no database')`);
  expect(await run.code).toBe(1);
  expect(run.output()).toContain('no database');
  expect(run.output()).toContain('closed pool');
});

test('a closer that fails does not keep the others from running, and shows in the exit code', async () => {
  const run = start(`onClose('spool', flush('spool')); onClose('server', () => { throw new Error('stuck') })`);
  await run.says('started');
  run.child.kill('SIGTERM');
  expect(await run.code).toBe(1);
  expect(run.output()).toContain('closed spool');
});

test('closers that do not end are given up after the grace period', async () => {
  const run = start(`onClose('server', () => new Promise(() => {}))`, '{ graceMs: 100 }');
  await run.says('started');
  run.child.kill('SIGTERM');
  expect(await run.code).toBe(1);
  expect(run.output()).toContain('Not closed in time');
});

test('signals that arrive together count once, a later one ends the process at once', async () => {
  const run = start(`onClose('server', () => new Promise(() => { console.log('closing') }))`, '{ graceMs: 60000 }');
  await run.says('started');
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  await run.says('closing');
  await vi.waitFor(() => {
    run.child.kill('SIGTERM');
    expect(run.output()).toContain('Second signal');
  }, patience);
  expect(await run.code).toBe(1);
});

test("A145: a report of Node's about the process holds nothing of its environment", async () => {
  const planted = `process.env.DATABASE_URL = 'canary'`;
  const run = start(
    `${planted}; const { environmentVariables, header } = process.report.getReport(); console.log(String(environmentVariables), header.cwd)`,
  );
  await run.says('started');
  expect(run.output()).toContain('undefined /');
  run.child.kill('SIGTERM');
  await run.code;
});

test('a process whose parent was killed closes by itself', async () => {
  const inner = script(`onClose('spool', flush('spool'))`, '{ exitWithParent: true }');
  const outer = `const { spawn } = await import('node:child_process');
    spawn(process.execPath, ${JSON.stringify(nodeArguments(inner))}, { stdio: 'inherit' });`;
  const run = spawned(['--input-type=module', '-e', outer]);
  await run.says('started');
  run.child.kill('SIGKILL');
  await run.says('closed spool');
  expect(run.output()).toContain('Parent process is gone');
  await run.ended; // its end of our pipe is closed: no orphan is left
});

test('a killed parent that was reading our log does not keep the spool from being flushed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'orphan-'));
  const file = join(folder, 'flushed');
  const flush = `async (reason) => { console.log('x'.repeat(1e6)); (await import('node:fs')).writeFileSync(${JSON.stringify(file)}, reason.signal) }`;
  const inner = script(`onClose('spool', ${flush})`, '{ exitWithParent: true }');
  const outer = `const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, ${JSON.stringify(nodeArguments(inner))}, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (data) => process.stdout.write(data));`;
  const run = spawned(['--input-type=module', '-e', outer]);
  await run.says('started');
  run.child.kill('SIGKILL');
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toBe('parent gone'), patience);
  rmSync(folder, { recursive: true });
});

function script(body: string, options = '{}'): string {
  const source = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  return `const { runProcess } = await import(${source('./run-process.ts')});
    const { createLogger } = await import(${source('./create-logger.ts')});
    const flush = (name) => async () => { await new Promise(setImmediate); console.log('closed ' + name) };
    await runProcess(async (onClose) => { setInterval(() => {}, 1000); ${body}; console.log('started') }, createLogger({ name: 'test' }), ${options});`;
}

/** Node strips the types itself; it only has to be told that `./x.js` is `./x.ts` here. */
function nodeArguments(code: string): string[] {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      const isOurs = name.startsWith('.') && context.parentURL?.endsWith('.ts');
      return next(isOurs ? name.replace(/\\.js$/, '.ts') : name, context);
    } });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, '--input-type=module', '-e', code];
}

function start(body: string, options?: string) {
  return spawned(nodeArguments(script(body, options)));
}

function spawned(args: string[]) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const says = (words: string) => vi.waitFor(() => expect(text).toContain(words), patience);
  return { child, code: Promise.all([code, ended]).then(([first]) => first), ended, says, output: () => text };
}
