import { hash } from 'node:crypto';
import type { Logger } from '@portcullis/boot';
import { launchProfileText } from '@portcullis/contracts/runner/launch-profile';
import type { RunnerAssignment } from '@portcullis/contracts/runner/heartbeat';
import { LOG_TAIL_CHARS_MAX, type HostedServer as Status } from '@portcullis/contracts/runner/status';
import type { ChildStarter } from '../spawn/child-starter.js';
import { LogTail } from '../spawn/log-tail.js';
import { HostedServer } from './hosted-server.js';

/** What hosting depends on. */
export interface HostParts {
  readonly starter: ChildStarter;
  readonly logger: Logger;
  readonly now: () => number;
  /** The secrets of an assignment by name. Throws where they cannot be opened. */
  readonly openSecrets: (assignment: RunnerAssignment) => Readonly<Record<string, string>>;
}

/** What operators see of a child's stderr. */
export interface ServerLog {
  readonly serverId: string;
  readonly version: number;
  readonly text: string;
}

interface Place {
  readonly assignment: RunnerAssignment;
  readonly server: HostedServer;
  readonly log: LogTail;
}

/** What works when its server leaves this runner may end within that. */
const LEAVE_MS_MAX = 10_000;
const IDLE_EVERY_MS = 1000;

/** All servers of this runner. */
export class Host {
  private places = new Map<string, Place>();
  private faults = new Map<string, Status>();
  private readonly leaving = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly parts: HostParts) {
    this.timer = setInterval(() => this.endIdle(), IDLE_EVERY_MS).unref();
  }

  /** The server of this name, if it is one of this runner's. */
  find(slug: string): HostedServer | undefined {
    return this.places.get(slug)?.server;
  }

  /** Whether this is one of those that it was told to host. */
  hosts(serverId: string): boolean {
    return this.faults.has(serverId) || [...this.places.values()].some(({ assignment }) => assignment.serverId === serverId);
  }

  /** Hosts exactly these. What is as it was keeps its children; everything else ends or begins anew. */
  apply(assignments: readonly RunnerAssignment[]): void {
    const next = new Map<string, Place>();
    const faults = new Map<string, Status>();
    for (const assignment of assignments) {
      const known = this.places.get(assignment.slug);
      const place = known !== undefined && isSame(known.assignment, assignment) ? known : this.placeFor(assignment);
      if ('server' in place) next.set(assignment.slug, place);
      else faults.set(assignment.serverId, place);
    }
    this.faults = faults;
    const gone = [...this.places.values()].filter((place) => next.get(place.assignment.slug) !== place);
    this.places = next;
    for (const { server } of gone) this.leave(server);
  }

  statuses(): Status[] {
    return [...[...this.places.values()].map(({ server }) => server.status()), ...this.faults.values()];
  }

  logs(): ServerLog[] {
    return [...this.places.values()].map(({ assignment, log }) => ({ serverId: assignment.serverId, version: log.version, text: log.read() }));
  }

  /** Ends all children. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...[...this.places.values()].map(({ server }) => server.close(graceMs)), ...this.leaving]);
  }

  private placeFor(assignment: RunnerAssignment): Place | Status {
    const { serverId, slug, profile, profileHash } = assignment;
    try {
      // What is started is what was approved, whatever came with it.
      if (hash('sha256', launchProfileText(profile), 'hex') !== profileHash) throw new Error('The profile is not the one that was approved');
      const secrets = this.parts.openSecrets(assignment);
      const log = new LogTail(LOG_TAIL_CHARS_MAX, secrets);
      const { starter, logger, now } = this.parts;
      const order = { serverId, profile, secrets };
      starter.prefetch(order);
      return { assignment, log, server: new HostedServer({ slug, profileHash, order, starter, log, logger, now, makeRoom: () => this.makeRoom() }) };
    } catch (error) {
      // Longer, and the heartbeat that tells it would be refused.
      const lastError = (error instanceof Error ? error.message : 'It cannot be hosted').slice(0, 1000).toWellFormed();
      // Each answer brings it again; it is told once.
      if (this.faults.get(serverId)?.lastError !== lastError) this.parts.logger.error({ server: slug, err: error }, 'A server cannot be hosted');
      return { serverId, profileHash, state: 'failed', instances: 0, restarts: 0, junkLines: 0, lastError };
    }
  }

  private leave(server: HostedServer): void {
    const left = server.close(LEAVE_MS_MAX).finally(() => this.leaving.delete(left));
    this.leaving.add(left);
  }

  private makeRoom(): boolean {
    const idle = [...this.places.values()].flatMap(({ server }) => server.idlest() ?? []);
    const [longest] = idle.toSorted((a, b) => b.idleMs - a.idleMs);
    longest?.end();
    return longest !== undefined;
  }

  private endIdle(): void {
    for (const { server } of this.places.values()) server.endIdle();
  }
}

/** Secrets are sealed anew in each answer; what says whether they differ is their version. */
function isSame(a: RunnerAssignment, b: RunnerAssignment): boolean {
  return (
    a.serverId === b.serverId && a.profileHash === b.profileHash && a.generation === b.generation && a.environmentVersion === b.environmentVersion
  );
}
