import { CpuBudget } from './cpu-budget.js';
import { membersOf, readProcesses, signalAll, type ProcessEntry } from './process-table.js';

const LOOK_EVERY_MS = 500;
/** While a child takes more processor time than it gets: it works, and rests, in pieces as short as that. */
const LOOK_CLOSELY_MS = 100;
const REST_MS_MIN = 10;
/** Where nobody has used a child for so long, every fourth look is enough. */
const QUIET_MS = 5000;
const QUIET_LOOKS = 4;
const MIB = 1024 * 1024;

/** A group of processes that must stay within its limits. */
export interface Watched {
  readonly leader: number;
  readonly memoryMib: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly processes: number;
  /** Processes of the sandbox itself, which do not count. */
  readonly own: number;
  /** When it was last heard, or spoken to, on the monotonic clock. */
  readonly activeAt: () => number;
  /** Whether it was told to end: nothing keeps it from that. */
  readonly isEnding: () => boolean;
  readonly onExceeded: (reason: string) => void;
  /** It was kept from running for so long, to stay within its share of processor time. */
  readonly onRested: (ms: number) => void;
}

/** One that is watched, and what it has used. */
interface Patient {
  readonly watched: Watched;
  readonly budget: CpuBudget;
  /** Since when it rests, for how long it has to, and all of it that were stopped: who leaves it meanwhile has to be let run with the others. */
  rest: { readonly since: number; readonly forMs: number; readonly stopped: ReadonlySet<number> } | undefined;
}

/**
 * Looks twice a second at what children take, where the kernel cannot be told to: who exceeds its memory or number of processes is ended, who takes more
 * than its share of processor time is stopped for as long as it takes. Without `/proc` it sees nothing.
 */
export class Watchdog {
  private readonly patients = new Set<Patient>();
  private timer: NodeJS.Timeout | undefined;
  private looks = 0;

  /** Begins to watch; gives what ends that. */
  watch(watched: Watched): () => void {
    const patient: Patient = { watched, budget: new CpuBudget(watched.cpuPercent, performance.now()), rest: undefined };
    this.patients.add(patient);
    this.timer ??= this.next(LOOK_EVERY_MS);
    return () => {
      this.patients.delete(patient);
      letRun(patient);
      if (this.patients.size > 0) return;
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  }

  private next(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.look();
      this.timer = this.patients.size === 0 ? undefined : this.next(this.lookAfterMs());
    }, afterMs).unref();
  }

  /** Who is a little over its share rests for a little. */
  private lookAfterMs(): number {
    let leastMs = LOOK_EVERY_MS;
    for (const { budget, rest } of this.patients) {
      if (rest !== undefined) leastMs = Math.min(leastMs, LOOK_CLOSELY_MS, Math.max(rest.forMs, REST_MS_MIN));
      else if (budget.isShrinking) leastMs = Math.min(leastMs, LOOK_CLOSELY_MS);
    }
    return leastMs;
  }

  private look(): void {
    this.looks += 1;
    const now = performance.now();
    const isQuiet = ({ watched, budget, rest }: Patient): boolean => rest === undefined && !budget.isShrinking && watched.activeAt() < now - QUIET_MS;
    if (this.looks % QUIET_LOOKS !== 0 && [...this.patients].every(isQuiet)) return;
    const processes = readProcesses();
    for (const patient of this.patients) {
      const members = membersOf(patient.watched.leader, processes);
      const excess = excessOf(patient.watched, members);
      if (excess !== undefined) patient.watched.onExceeded(excess);
      else keepToShare(patient, members, now);
    }
  }
}

function excessOf({ own, processes, memoryMib }: Watched, members: readonly ProcessEntry[]): string | undefined {
  const count = members.length - own;
  if (count > processes) return `It had ${count} processes, of ${processes} allowed`;
  const bytes = members.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  return bytes > memoryMib * MIB ? `It took ${Math.ceil(bytes / MIB)} MiB of memory, of ${memoryMib} allowed` : undefined;
}

function keepToShare(patient: Patient, members: readonly ProcessEntry[], now: number): void {
  const { watched, budget, rest } = patient;
  const usedMs = members.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const forMs = budget.restAfter(usedMs, now);
  if (rest !== undefined) watched.onRested(now - rest.since);
  if (forMs === 0 || watched.isEnding()) return letRun(patient);
  // Those that rest already are told again: one of them may have started another before it was.
  const pids = members.map(({ pid }) => pid);
  signalAll(pids, 'SIGSTOP');
  patient.rest = { since: now, forMs, stopped: new Set([...(rest?.stopped ?? []), ...pids]) };
}

function letRun(patient: Patient): void {
  if (patient.rest === undefined) return;
  signalAll(patient.rest.stopped, 'SIGCONT');
  patient.rest = undefined;
}
