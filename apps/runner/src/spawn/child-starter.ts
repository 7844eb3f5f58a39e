import { endProcessesOf } from '../sandbox/process-table.js';
import type { Watchdog } from '../sandbox/watchdog.js';
import { Child, type ChildListener } from './child.js';
import type { LogTail } from './log-tail.js';
import { planLaunch, type LaunchOrder, type LaunchPlace } from './plan-launch.js';

/** Starts children of one runner. */
export class ChildStarter {
  /** Children that run, by the user that they run as. */
  private readonly users = new Map<number, number>();
  /** Children that run, or are about to, in all and by server. */
  private running = 0;
  private readonly servers = new Map<string, number>();

  constructor(
    private readonly place: LaunchPlace,
    private readonly watchdog: Watchdog,
    private readonly capacity: number,
  ) {}

  get isFull(): boolean {
    return this.running >= this.capacity;
  }

  /** Whether a child of this server runs, or is about to. */
  isBusy(serverId: string): boolean {
    return this.servers.has(serverId);
  }

  /** Whether the order's program lies ready; if not, starting it fetches it first. */
  isReady({ profile: { program } }: LaunchOrder): boolean {
    return program.kind === 'executable' || this.place.packages.isInstalled(program);
  }

  /** Fetches what the order needs, before anybody waits for it. */
  prefetch({ profile: { program } }: LaunchOrder): void {
    if (program.kind !== 'executable') this.place.packages.prefetch(program);
  }

  /** Starts a child behind the walls of this machine and watches it until it ends. Throws a LaunchRefusal. */
  async start(order: LaunchOrder, listener: ChildListener, log: LogTail): Promise<Child> {
    this.counts(order, 1);
    const { child, uid } = await this.spawn(order, listener, log).catch((error: unknown) => {
      this.counts(order, -1);
      throw error;
    });
    if (uid !== undefined) this.users.set(uid, (this.users.get(uid) ?? 0) + 1);
    const unwatch = child.pid === undefined ? () => undefined : this.watch(child, child.pid, order);
    void child.ended.then(() => {
      unwatch();
      this.counts(order, -1);
      if (uid !== undefined) this.users.set(uid, (this.users.get(uid) ?? 1) - 1);
    });
    return child;
  }

  private counts({ serverId }: LaunchOrder, by: 1 | -1): void {
    this.running += by;
    const count = (this.servers.get(serverId) ?? 0) + by;
    if (count > 0) this.servers.set(serverId, count);
    else this.servers.delete(serverId);
  }

  private async spawn(order: LaunchOrder, listener: ChildListener, log: LogTail): Promise<{ child: Child; uid: number | undefined }> {
    const plan = await planLaunch(order, this.place);
    const uid = plan.user?.uid;
    return { child: new Child(plan, listener, { log, sweep: () => this.sweep(uid) }), uid };
  }

  private watch(child: Child, leader: number, { profile }: LaunchOrder): () => void {
    const { memoryMib, cpuPercent, processes } = profile.limits;
    return this.watchdog.watch({
      leader,
      memoryMib,
      cpuPercent,
      processes,
      own: this.ownProcesses,
      activeAt: () => child.activeAt,
      isEnding: () => child.isAsked,
      onExceeded: (reason) => child.kill(reason),
      onRested: (ms) => child.rested(ms),
    });
  }

  /** `unshare` stays as the parent of a pid namespace, and its first process may be the one that reaps. */
  private get ownProcesses(): number {
    const { namespaces, hasInit } = this.place.sandbox;
    return (namespaces.includes('--pid') ? 1 : 0) + (hasInit ? 1 : 0);
  }

  /** Without a pid namespace, who leaves the group is found by its user: unless another child of the same server runs. */
  private sweep(uid: number | undefined): void {
    if (uid === undefined || this.place.sandbox.report.pidNamespace.enforced || (this.users.get(uid) ?? 0) > 1) return;
    endProcessesOf(uid);
  }
}
