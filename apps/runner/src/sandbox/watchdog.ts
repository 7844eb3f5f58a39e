import { membersOf, readProcesses } from './process-table.js';

const LOOK_EVERY_MS = 500;
/** Where nobody has used a child for so long, every fourth look is enough. */
const QUIET_MS = 5000;
const QUIET_LOOKS = 4;
const MIB = 1024 * 1024;

/** A group of processes that must stay within its limits. */
export interface Watched {
  readonly leader: number;
  readonly memoryMib: number;
  readonly processes: number;
  /** Processes of the sandbox itself, which do not count. */
  readonly own: number;
  /** When it was last heard, or spoken to, on the monotonic clock. */
  readonly activeAt: () => number;
  readonly onExceeded: (reason: string) => void;
}

/** Looks twice a second at what children take, where the kernel cannot be told to. Without `/proc` it sees nothing. */
export class Watchdog {
  private readonly watched = new Set<Watched>();
  private timer: NodeJS.Timeout | undefined;
  private looks = 0;

  /** Begins to watch; gives what ends that. */
  watch(one: Watched): () => void {
    this.watched.add(one);
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    return () => {
      this.watched.delete(one);
      if (this.watched.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private look(): void {
    this.looks += 1;
    const since = performance.now() - QUIET_MS;
    if (this.looks % QUIET_LOOKS !== 0 && [...this.watched].every(({ activeAt }) => activeAt() < since)) return;
    const processes = readProcesses();
    for (const one of this.watched) {
      const members = membersOf(one.leader, processes);
      const count = members.length - one.own;
      const bytes = members.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
      if (count > one.processes) one.onExceeded(`It had ${count} processes, of ${one.processes} allowed`);
      else if (bytes > one.memoryMib * MIB) one.onExceeded(`It took ${Math.ceil(bytes / MIB)} MiB of memory, of ${one.memoryMib} allowed`);
    }
  }
}
