import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

/** One process, as the kernel tells of it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly residentBytes: number;
  /** Of processor time, with that of those which it has waited for. */
  readonly cpuMs: number;
}

const PAGE_BYTES = 4096;
/** The kernel tells processor time in hundredths of a second, whatever it counts in. */
const TICK_MS = 10;

/** Reads all processes that can be seen; none where the system has no `/proc`. */
export function readProcesses(): ProcessEntry[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(name) ?? []);
}

function readProcess(name: string): ProcessEntry | undefined {
  try {
    const text = readShort(`/proc/${name}/stat`);
    // A program's name may hold spaces and brackets: what counts begins after the last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const cpuMs = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
    return { pid: Number(name), parent: Number(fields[1]), group: Number(fields[2]), residentBytes: Number(fields[21]) * PAGE_BYTES, cpuMs };
  } catch {
    return undefined; // it has ended
  }
}

const buffer = Buffer.alloc(4096);

/** Reads a file of the kernel's: at half the price of one that might be of any length. */
function readShort(path: string): string {
  const file = openSync(path, 'r');
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
}

/** Processes of this group, and whatever descends from its leader. */
export function membersOf(leader: number, processes: readonly ProcessEntry[]): ProcessEntry[] {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of processes) {
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry]);
    else siblings.push(entry);
  }
  const found = new Map<number, ProcessEntry>();
  const visit = (entry: ProcessEntry): void => {
    if (found.has(entry.pid)) return;
    found.set(entry.pid, entry);
    for (const child of children.get(entry.pid) ?? []) visit(child);
  };
  for (const entry of processes) if (entry.pid === leader || entry.group === leader) visit(entry);
  return [...found.values()];
}

/** Tells all of these. */
export function signalAll(pids: Iterable<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Ends everything that runs as this user. For users that a runner gives to servers, and to nobody else. */
export function endProcessesOf(uid: number): void {
  signalAll(processesOf(uid), 'SIGKILL');
}

/** Whether anything runs as this user. */
export const runsAnythingAs = (uid: number): boolean => processesOf(uid).length > 0;

function processesOf(uid: number): number[] {
  const pids = readProcesses().map(({ pid }) => pid);
  return pids.filter((pid) => {
    try {
      return statSync(`/proc/${pid}`).uid === uid;
    } catch {
      return false; // it has ended
    }
  });
}
