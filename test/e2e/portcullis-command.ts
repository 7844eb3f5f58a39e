import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { portIsFree } from '@portcullis/local-services';

/** The built command, as a person runs it. */
const command = fileURLToPath(new URL('../../apps/cli/bin/portcullis.mjs', import.meta.url));

/** What `portcullis up --json` prints. */
export interface Stack {
  controlPlaneUrl: string;
  gatewayUrls: string[];
  operatorToken: string;
  databaseUrl: string;
  redisUrl: string;
  pids: Record<string, number>;
  agents: Record<string, string>;
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Up {
  readonly pid: number;
  /** Rejects, with what was said, when the command ends before it is ready. */
  readonly ready: Promise<Stack>;
  readonly ended: Promise<Outcome>;
  signal(name: NodeJS.Signals): void;
  /** All that was said so far. */
  said(): string;
}

const environment = (extra: Record<string, string>): NodeJS.ProcessEnv => {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...rest } = process.env;
  // Whatever happens to the test run, nothing of the stack outlives it.
  return { ...rest, EXIT_WITH_PARENT: '1', ...extra };
};

/** Starts `portcullis up --json` with these arguments. */
export function startUp(args: readonly string[], extra: Record<string, string> = {}): Up {
  const child = spawn(process.execPath, [command, 'up', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: environment(extra) });
  const output = { stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, ...output })));
  const ready = firstLine(child, output).then(
    (line) => JSON.parse(line) as Stack,
    () => Promise.reject(new Error(`portcullis up ended: ${output.stderr}`)),
  );
  // Who waits for the end alone does not ask for this.
  ready.catch(() => undefined);
  return { pid: child.pid ?? -1, ready, ended, signal: (name) => void child.kill(name), said: () => output.stderr };
}

function firstLine(child: ChildProcess, output: { stdout: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no output'));
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      output.stdout += `${line}\n`;
      resolve(line);
    });
    lines.once('close', () => reject(new Error('ended')));
  });
}

/** Runs any other command to its end. */
export function portcullis(args: readonly string[], extra: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...args], { env: environment(extra) }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** Whether a process runs; one that has ended and only waits to be collected does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The first of a hundred ports that look free, below those the system gives out by itself. Nobody else who asks is given them while this process lives. */
export async function freePortBase(): Promise<number> {
  for (;;) {
    const base = 10_000 + 100 * randomInt(0, 200);
    if (!(await reserve(base + 99))) continue;
    const probes = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 50, 51].map((offset) => portIsFree(base + offset)));
    if (probes.every(Boolean)) return base;
  }
}

/** Holds this port to its own end, without living longer for it; false when somebody has it. */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const reservation = createServer().unref();
    reservation.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
}
