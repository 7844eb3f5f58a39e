import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalService, startPostgres, startRedis } from '@portcullis/local-services';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One process of the system, started from its built file as a supervisor would. */
export interface Started {
  readonly pid: number;
  readonly healthUrl: string;
  /** Exit code or signal, once it has ended. */
  readonly ended: Promise<string>;
  isRunning(): boolean;
  /** Asks it to end, or ends it at once, and waits until it has. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Freezes it, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
}

/** Starts one app with just this environment; its output goes to a file named after it. */
export function startByHand(directory: string, name: string, script: string, own: Record<string, string> & { HEALTH_PORT: string }): Started {
  const output = openSync(join(directory, `${name}.log`), 'a');
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const env = { ...inherited, EXIT_WITH_PARENT: '1', HOST: '127.0.0.1', HEALTH_HOST: '127.0.0.1', ...own };
  const child: ChildProcess = spawn(process.execPath, [join(root, 'apps', script)], { env, stdio: ['ignore', output, output] });
  closeSync(output);
  let isRunning = true;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      isRunning = false;
      resolve(signal ?? String(code));
    });
  });
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid ?? -1,
    healthUrl: `http://127.0.0.1:${own.HEALTH_PORT}`,
    ended,
    isRunning: () => isRunning,
    stop,
    signal: (name) => void child.kill(name),
  };
}

/** A Postgres or Redis whose address is known before it runs. */
export interface Service {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Sends it a signal; one that ends it is waited for until it has ended. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGQUIT'): Promise<void>;
  /** For how many milliseconds it did not run between two times of `performance.now()`. */
  goneMs(from: number, to: number): number;
}

async function service(launch: () => Promise<LocalService>, prepare: (url: string) => Promise<unknown>): Promise<Service> {
  let running: LocalService | undefined;
  const absences: { from: number; to: number }[] = [];
  const run = async (): Promise<LocalService> => {
    const launched = await launch();
    const last = absences.at(-1);
    if (last !== undefined) last.to = performance.now();
    running = launched;
    void launched.exited.then(() => {
      absences.push({ from: performance.now(), to: Number.POSITIVE_INFINITY });
      if (running === launched) running = undefined;
    });
    return launched;
  };
  const { url } = await run();
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = undefined;
  };
  const start = async (): Promise<void> => {
    if (running === undefined) await run();
  };
  const signal: Service['signal'] = async (name) => {
    if (running === undefined) return;
    const { pid, exited } = running;
    process.kill(pid, name);
    if (name === 'SIGSTOP' || name === 'SIGCONT') return;
    await exited;
    running = undefined;
  };
  const goneMs: Service['goneMs'] = (from, to) =>
    absences.reduce((sum, gone) => sum + Math.max(0, Math.min(to, gone.to) - Math.max(from, gone.from)), 0);
  await prepare(url);
  await stop();
  return { url, start, stop, signal, goneMs };
}

/** Migrated, and stopped. `durable` where it is to be ended at once: else it would forget its last commits. */
export const preparePostgres = (directory: string, port: number, durable = false): Promise<Service> =>
  service(
    () => startPostgres({ directory: join(directory, 'postgres'), port, durable }),
    (url) => {
      const prisma = join(root, 'node_modules/prisma/build/index.js');
      return promisify(execFile)(process.execPath, [prisma, 'migrate', 'deploy'], { cwd: root, env: { ...process.env, DATABASE_URL: url } });
    },
  );

/** Empty, and stopped. Without `persist` it is empty at each start. */
export const prepareRedis = (directory: string, port: number, persist = true): Promise<Service> =>
  service(
    () => startRedis({ directory: join(directory, 'redis'), port, persist }),
    () => Promise.resolve(),
  );

/** Status and text of a health route; status 0 when nothing answers. */
export async function healthOf({ healthUrl }: Started, route: 'livez' | 'readyz' = 'readyz'): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(`${healthUrl}/${route}`, { signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' };
  }
}
