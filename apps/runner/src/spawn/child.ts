import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { LineReader } from './line-reader.js';
import type { LogTail } from './log-tail.js';
import { Throttle } from './throttle.js';

/** The longest line that is read from a child. */
export const LINE_BYTES_MAX = 10 * 1024 * 1024;
/** What waits for a child that does not read; beyond it nothing more is taken for it. */
export const STDIN_BYTES_MAX = 32 * 1024 * 1024;
/** More than what may have been taken before that was known; a child that makes more wait, by asking and never reading, is ended. */
const STDIN_BYTES_END = 2 * STDIN_BYTES_MAX;
/** What is read of stderr, and of junk on stdout, in a second. A child with more to say waits. */
const NOISE_BYTES_PER_SECOND = 2 * 1024 * 1024;
const LINE_END = Buffer.from('\n');
const STOP_STEP_MS = 2000;
const CLOSE_MS_MAX = 1000;
/** For how long a child is said to be throttled after it last was. */
const THROTTLED_MS = 10_000;
/** Behind everything else on the machine, this runner included. */
const CHILD_NICENESS = 5;

/** A program to start, exactly as it is started. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of the child's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How a child ended; `asked` says that it was told to. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly asked: boolean;
  /** Why it was ended, or could not be started, in words. */
  readonly reason: string | undefined;
}

/** Told what a child writes. */
export interface ChildListener {
  /** One line of stdout; false: it was no message. */
  line(bytes: Buffer): boolean;
  tooLong(): void;
}

/** A program that speaks over stdin and stdout, in a process group of its own. */
export class Child {
  readonly ended: Promise<ChildEnd>;
  junkLines = 0;
  hasEnded = false;
  /** When it was last heard, or spoken to, on the monotonic clock. */
  activeAt = performance.now();
  /** For how long it was kept from running, to stay within its share of processor time. */
  restedMs = 0;
  private restedAt = -Infinity;
  private readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly pauses = new Set<unknown>();
  private unsent: Buffer[] = [];
  private unsentBytes = 0;
  private asked = false;
  private reason: string | undefined;

  constructor(
    launch: Launch,
    private readonly listener: ChildListener,
    { log, sweep }: { readonly log: LogTail; readonly sweep: () => void },
  ) {
    // Detached: the leader of a group and a session of its own, so that all of it can be ended at once.
    this.process = spawn(launch.file, launch.args, {
      cwd: launch.cwd,
      env: launch.environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      shell: false,
    });
    this.ended = new Promise((resolve) => this.watchEnd(resolve, sweep));
    this.read(log);
    if (this.pid !== undefined) lowerPriority(this.pid);
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Whether it was told to end. */
  get isAsked(): boolean {
    return this.asked;
  }

  /** Whether it was lately kept from running, since it takes more processor time than its profile allows. */
  get isThrottled(): boolean {
    return performance.now() - this.restedAt < THROTTLED_MS;
  }

  /** Notes that it was kept from running for so long. */
  rested(ms: number): void {
    this.restedMs += ms;
    this.restedAt = performance.now();
  }

  /** Bytes that it has not read yet. */
  get pendingBytes(): number {
    return this.process.stdin.writableLength + this.unsentBytes;
  }

  /** Writes a message, which is one line without its end. Those of one round of the event loop go out together. */
  write(line: Buffer | string): void {
    if (this.pendingBytes > STDIN_BYTES_END) return this.kill('It does not read what it is sent');
    if (this.unsent.length === 0) setImmediate(() => this.flush());
    this.unsent.push(typeof line === 'string' ? Buffer.from(line) : line, LINE_END);
    this.unsentBytes += line.length + 1;
  }

  /** Reads nothing more of it until all who asked for that have said otherwise. */
  pause(by: unknown): void {
    this.pauses.add(by);
    this.process.stdout.pause();
  }

  resume(by: unknown): void {
    if (this.pauses.delete(by) && this.pauses.size === 0) this.process.stdout.resume();
  }

  /** Lets it end: closes its input, then SIGTERM, then SIGKILL to all of its group. Resolves when it has ended. */
  stop(): Promise<ChildEnd> {
    if (this.asked) return this.ended;
    this.asked = true;
    this.flush();
    this.process.stdin.end();
    let timer = setTimeout(() => {
      this.signal('SIGTERM');
      this.signal('SIGCONT'); // one that rests hears nothing
      timer = setTimeout(() => this.signal('SIGKILL'), STOP_STEP_MS);
    }, STOP_STEP_MS);
    void this.ended.then(() => clearTimeout(timer));
    return this.ended;
  }

  /** Ends all of its group at once, for this reason. */
  kill(reason: string): void {
    this.reason ??= reason;
    this.signal('SIGKILL');
  }

  private flush(): void {
    const { unsent } = this;
    this.unsent = [];
    this.unsentBytes = 0;
    this.activeAt = performance.now();
    if (!this.hasEnded && this.process.stdin.writable) this.process.stdin.write(Buffer.concat(unsent));
  }

  /** A fault over what one child says ends that child, and not the runner with the children of everybody. */
  private told(line: Buffer): boolean {
    try {
      return this.listener.line(line);
    } catch (error) {
      this.kill(`It said what could not be taken (${error instanceof Error ? error.name : typeof error})`);
      return false;
    }
  }

  private signal(signal: NodeJS.Signals): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone.
    }
  }

  private read(log: LogTail): void {
    const { stdin, stdout, stderr } = this.process;
    stdin.on('error', () => undefined); // it ended, which is told elsewhere
    stdout.on('error', () => undefined);
    stderr.on('error', () => undefined);
    const junk = new Throttle(NOISE_BYTES_PER_SECOND, { pause: () => this.pause(junk), resume: () => this.resume(junk) });
    const noise = new Throttle(NOISE_BYTES_PER_SECOND, { pause: () => stderr.pause(), resume: () => stderr.resume() });
    const lines = new LineReader(LINE_BYTES_MAX, {
      line: (bytes) => {
        if (bytes.length === 0 || this.told(bytes)) return;
        this.junkLines += 1;
        junk.took(bytes.length + 64);
      },
      tooLong: () => {
        this.junkLines += 1;
        junk.took(LINE_BYTES_MAX);
        this.listener.tooLong();
      },
    });
    stdout.on('data', (chunk: Buffer) => {
      this.activeAt = performance.now();
      lines.push(chunk);
    });
    stderr.on('data', (chunk: Buffer) => {
      log.push(chunk);
      noise.took(chunk.length);
    });
    void this.ended.then(() => [junk, noise].forEach((one) => one.stop()));
  }

  private watchEnd(resolve: (end: ChildEnd) => void, sweep: () => void): void {
    const { process: child } = this;
    let timer: NodeJS.Timeout | undefined;
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (this.hasEnded) return;
      this.hasEnded = true;
      clearTimeout(timer);
      [child.stdin, child.stdout, child.stderr].forEach((stream) => stream.destroy());
      resolve({ code, signal, asked: this.asked, reason: this.reason });
    };
    child.once('error', (error) => {
      this.reason ??= error.message;
      if (child.pid === undefined) end(null, null);
    });
    child.once('exit', (code, signal) => {
      // Whoever it left behind goes with it; one that has its stdout would also keep us waiting.
      this.signal('SIGKILL');
      sweep();
      timer = setTimeout(() => end(code, signal), CLOSE_MS_MAX);
    });
    child.once('close', end);
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, CHILD_NICENESS);
  } catch {
    // It has ended already, or this system has no such thing.
  }
}
