import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalServiceError } from './local-service.js';
import { findProgram, plainEnvironment, runProgram, type Invocation } from './run-program.js';

/** A running child whose end can be awaited and asked for. */
export interface Supervised {
  readonly pid: number;
  readonly exited: Promise<void>;
  hasExited(): boolean;
  stop(): Promise<void>;
}

/** The signals that end a service, gentlest first, each with the time it gets. */
export type StopSignals = readonly (readonly [signal: NodeJS.Signals, waitMs: number])[];

let deathSignal: Promise<string | undefined> | undefined;

/** Linux can signal a child when its parent dies; `setpriv` is the way to ask for it from here. */
function parentDeathSignal(): Promise<string | undefined> {
  deathSignal ??= findProgram('setpriv').then(async (setpriv) => {
    if (!setpriv) return undefined;
    const works = await runProgram({ command: setpriv, args: ['--pdeathsig', 'TERM', '--', '/bin/sh', '-c', ':'] }).then(
      () => true,
      () => false,
    );
    return works ? setpriv : undefined;
  });
  return deathSignal;
}

/**
 * Starts a program as a child that never outlives the caller.
 *
 * Where the kernel can tie it to the caller's life it gets a session of its own, so that Ctrl-C in a terminal reaches the caller first and the
 * caller can end what uses the service before the service. Elsewhere it shares the caller's terminal signals.
 */
export async function supervise(service: Invocation & { wrap?: readonly string[] }, logFile: string, signals: StopSignals): Promise<Supervised> {
  const setpriv = await parentDeathSignal();
  const tie = setpriv ? [setpriv, '--pdeathsig', (signals[0]?.[0] ?? 'SIGTERM').replace('SIG', ''), '--'] : [];
  // The tie comes last: the kernel forgets it when a process changes its credentials.
  const [command = service.command, ...args] = [...(service.wrap ?? []), ...tie, service.command, ...service.args];
  const output = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    ...service.user,
    cwd: service.cwd,
    env: plainEnvironment(service.env),
    stdio: ['ignore', output, output],
    detached: setpriv !== undefined,
  });
  closeSync(output);
  let over = false;
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      resolve();
    };
    child.once('exit', end).once('error', end);
  });
  const killOnExit = (): boolean => child.kill(signals[0]?.[0]);
  process.once('exit', killOnExit);
  void exited.then(() => process.off('exit', killOnExit));
  const end = async (): Promise<void> => {
    for (const [signal, waitMs] of signals) {
      if (over) return;
      child.kill(signal);
      await settledWithin(exited, waitMs);
    }
    await exited;
  };
  let stopping: Promise<void> | undefined;
  return { pid: child.pid ?? -1, exited, hasExited: () => over, stop: () => (stopping ??= end()) };
}

async function settledWithin(promise: Promise<void>, waitMs: number): Promise<void> {
  const timeout = new AbortController();
  await Promise.race([promise, sleep(waitMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
  timeout.abort();
}

/** Waits until `check` holds; refuses with the end of the log when the process ends first or the time is up. */
export async function untilReady(name: string, child: Supervised, logFile: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await check())) {
    const why = child.hasExited() ? 'ended while starting' : Date.now() > deadline ? 'did not become ready within 60 s' : undefined;
    if (why) {
      await child.stop();
      throw new LocalServiceError('failed', `${name} ${why}. The end of ${logFile}:\n${await endOf(logFile)}`);
    }
    await sleep(20);
  }
}

const endOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').then(
    (text) => text.trim().slice(-1500),
    () => '(no log)',
  );
