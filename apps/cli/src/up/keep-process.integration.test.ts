import { freePort } from '@portcullis/local-services';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clearEarlierRun, processRecord } from './earlier-run.js';
import { keepProcess, type KeptProcess, type ProcessSpec } from './keep-process.js';
import { isRunning, identify } from './process-identity.js';

const serving = `
  import { createServer } from 'node:http';
  createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
  console.log('listening');
`;
const patient = { timeout: 20_000 };

let directory: string;
let kept: KeptProcess | undefined;
const reports: string[] = [];
const hooks = { report: (line: string) => void reports.push(line), changed: () => undefined };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-cli-'));
  reports.length = 0;
});
afterEach(async () => {
  await kept?.stop();
  kept = undefined;
  await rm(directory, { recursive: true });
});

async function specOf(program: string): Promise<ProcessSpec> {
  const script = join(directory, 'program.mjs');
  await writeFile(script, program);
  const port = await freePort();
  const readyUrl = `http://127.0.0.1:${port}/`;
  return { name: 'part', script, env: { PORT: String(port) }, readyUrl, logFile: join(directory, 'part.log'), watchesParent: true };
}

const never = new AbortController().signal;

describe('keepProcess', () => {
  it('is ready when the process answers, and its output is in its log', async () => {
    kept = await keepProcess(await specOf(serving), hooks);
    await kept.ready(never);
    expect(await readFile(join(directory, 'part.log'), 'utf8')).toBe('listening\n');
  });

  it('puts the log of the run before aside', async () => {
    await writeFile(join(directory, 'part.log'), 'old\n');
    kept = await keepProcess(await specOf(serving), hooks);
    expect(await readFile(join(directory, 'part.log.1'), 'utf8')).toBe('old\n');
  });

  it('refuses a process that ends while starting, showing the end of its log', async () => {
    kept = await keepProcess(await specOf(`console.error('PORT: is required'); process.exit(3);`), hooks);
    await expect(kept.ready(never)).rejects.toThrow(/part ended while starting \(exit code 3\)[^]*PORT: is required/);
    expect(kept.pid).toBeUndefined();
  });

  it('starts a process again that dies later, and says so', async () => {
    kept = await keepProcess(await specOf(serving), hooks);
    await kept.ready(never);
    const first = kept.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(kept?.pid).not.toBe(first), patient);
    await vi.waitFor(() => expect(kept?.pid).toBeDefined(), patient);
    await kept.ready(never);
    expect(reports.join('\n')).toContain('part ended (SIGKILL) and starts again in 0.25 s');
  });

  it('does not start a process again that was asked to end', async () => {
    kept = await keepProcess(await specOf(serving), hooks);
    await kept.ready(never);
    await kept.stop();
    await kept.stop();
    expect(kept.pid).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it('waits no longer once the start was given up', async () => {
    kept = await keepProcess(await specOf('setInterval(() => {}, 1000)'), hooks);
    const abort = new AbortController();
    const waiting = kept.ready(abort.signal);
    abort.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
  });
});

describe('clearEarlierRun', () => {
  it('waits for what a killed run left, and for nothing else', async () => {
    kept = await keepProcess(await specOf(serving), hooks);
    await kept.ready(never);
    const pid = kept.pid ?? 0;
    const left = await identify(pid);
    await processRecord(directory)({ part: pid });
    const cleared = clearEarlierRun(directory, () => undefined);
    await kept.stop();
    await cleared;
    expect(left && (await isRunning(left))).toBe(false);
    // The same pid with another start is somebody else.
    await writeFile(join(directory, 'processes.json'), JSON.stringify([{ name: 'other', pid: process.pid, started: 'never' }]));
    await clearEarlierRun(directory, () => undefined);
  });
});
