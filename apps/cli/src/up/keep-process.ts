import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli-error.js';
import { BackOff, type Kept, type KeptHooks } from './kept.js';
import { endOfLog, freshLog } from './log-file.js';

// Young objects get 16 MiB thrice, not what Node takes on a large machine: that is a third of a node's memory, for nothing that calls feel.
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=16'];

/** One Node process of the stack. */
export interface ProcessSpec {
  readonly name: string;
  /** Absolute. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the process can serve. */
  readonly readyUrl: string;
  readonly logFile: string;
  /** Whether the program itself ends with its parent when EXIT_WITH_PARENT is 1. */
  readonly watchesParent: boolean;
}

const stopMs = 15_000;
const readyMs = 120_000;
const pollMs = 25;

/** Starts a process with its output in its log, and keeps it running once it was ready. It ends when this process ends. */
export async function keepProcess(spec: ProcessSpec, hooks: KeptHooks): Promise<KeptProcess> {
  await freshLog(spec.logFile);
  return new KeptProcess(spec, hooks);
}

export class KeptProcess implements Kept {
  readonly #backOff = new BackOff();
  #child: ChildProcess;
  #exited: Promise<string>;
  #end: string | undefined;
  #wasReady = false;
  #stopping: Promise<void> | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    private readonly spec: ProcessSpec,
    private readonly hooks: KeptHooks,
  ) {
    this.#child = this.#launch();
    this.#exited = this.#follow(this.#child);
  }

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.#end === undefined ? this.#child.pid : undefined;
  }

  /** Resolves when the process can serve. Rejects, with the end of its log, when it ends before that or takes longer than two. */
  async ready(signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + readyMs;
    for (let last = 'no answer'; ;) {
      signal.throwIfAborted();
      const why = this.#end === undefined ? undefined : `ended while starting (${this.#end})`;
      const late = Date.now() > deadline ? `was not ready within ${readyMs / 1000} s (${last})` : undefined;
      if (why !== undefined || late !== undefined) throw new CliError(await this.#withLog(`${this.name} ${why ?? late}`));
      const answer = await askReady(this.spec.readyUrl);
      if (answer === undefined) break;
      last = answer;
      await sleep(pollMs);
    }
    this.#wasReady = true;
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  kill(): void {
    this.#stopping ??= this.#exited.then(() => undefined);
    clearTimeout(this.#restart);
    this.#child.kill('SIGKILL');
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart);
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => {
      this.hooks.report(`${this.name} did not end within ${stopMs / 1000} s and is ended by force`);
      this.#child.kill('SIGKILL');
    }, stopMs);
    await this.#exited;
    clearTimeout(force);
  }

  #launch(): ChildProcess {
    const { script, env, logFile, watchesParent } = this.spec;
    const output = openSync(logFile, 'a', 0o600);
    const watch = watchesParent ? [] : ['--import', new URL(`exit-with-parent.js?parent=${process.pid}`, import.meta.url).href];
    const child = spawn(process.execPath, [...NODE_OPTIONS, ...watch, script], {
      env: { ...env, EXIT_WITH_PARENT: '1' },
      stdio: ['ignore', output, output],
      // A session of its own: Ctrl-C reaches us alone, and we end things in order.
      detached: true,
    });
    closeSync(output);
    this.#backOff.started(Date.now());
    return child;
  }

  async #follow(child: ChildProcess): Promise<string> {
    const end = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.#end = end;
    this.hooks.changed();
    if (this.#wasReady && this.#stopping === undefined) await this.#comeBack(end);
    return end;
  }

  async #comeBack(end: string): Promise<void> {
    const waitMs = this.#backOff.nextMs(Date.now());
    this.hooks.report(await this.#withLog(`${this.name} ended (${end}) and starts again in ${waitMs / 1000} s`));
    if (this.#stopping !== undefined) return;
    this.#restart = setTimeout(() => {
      this.#child = this.#launch();
      this.#end = undefined;
      this.#exited = this.#follow(this.#child);
      this.hooks.changed();
    }, waitMs);
  }

  async #withLog(sentence: string): Promise<string> {
    const lines = (await endOfLog(this.spec.logFile)).split('\n').map((line) => `    ${line}`);
    return `${sentence}. The end of ${this.spec.logFile}:\n${lines.join('\n')}`;
  }
}

/** Undefined when the process is ready, else what it says instead. */
async function askReady(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(6_000) });
    const text = await response.text();
    return response.ok ? undefined : `${response.status} ${text.trim().slice(0, 300)}`;
  } catch {
    return 'no answer';
  }
}
