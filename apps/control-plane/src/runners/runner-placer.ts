import { Inject, Injectable } from '@nestjs/common';
import { RUNNER_DEAD_AFTER_MS } from '@portcullis/contracts/runner/heartbeat';
import { PrismaClient, type Runner } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { PolicyChanges } from '../changes/policy-changes.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { serverBucket } from '../servers/servers.service.js';
import { chooseRunner } from './choose-runner.js';
import { isLive } from './is-live.js';
import { assign, due, loadsOf, publishPlaces, takeToDiscover, type DueHosting } from './hosting.repository.js';

const TURN_MS = 500;
/** A process that stood still for so long has not heard what runners said meanwhile. */
const STOOD_STILL_MS = 2_000;
const AUTHOR = { name: 'portcullis/runners' };

/**
 * Decides which runner hosts what, and tells nodes where. A server stays where it is until its runner is dead, goes or is removed; nodes are told of a
 * new place when the runner there knows of it. Any number of control planes may do this: each step is one statement that counts once.
 */
@Injectable()
export class RunnerPlacer implements BackgroundWork {
  readonly everyMs = TURN_MS;
  readonly complaint = 'Servers of stdio cannot be placed';
  /** Until then no runner is taken for dead: it may have spoken, and nobody here listened. */
  private patientUntil = 0;
  private turnedAt = -Infinity;

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  async turn(): Promise<void> {
    const now = new Date();
    if (now.getTime() - this.turnedAt > STOOD_STILL_MS) this.patientUntil = now.getTime() + RUNNER_DEAD_AFTER_MS;
    this.turnedAt = now.getTime();
    const runners = await this.database.runner.findMany();
    const gone = runners.filter((runner) => this.isGone(runner, now)).map(({ id }) => id);
    const rows = await due(this.database, gone);
    if (rows.length === 0) return;
    await this.assignAll(
      rows.filter(({ runnerId }) => runnerId === null || gone.includes(runnerId)),
      runners.filter((runner) => runner.address !== null && isLive(runner, now)),
    );
    if (rows.some(({ isUntold }) => isUntold)) await this.publish();
    for (const serverId of await takeToDiscover(this.database)) await this.discovery.start(serverId);
  }

  private isGone(runner: Runner, now: Date): boolean {
    if (runner.leftAt !== null) return true;
    return runner.lastSeenAt !== null && now.getTime() > this.patientUntil && !isLive(runner, now);
  }

  /** Where no runner lives everything stays as it is: one that comes back finds its servers. */
  private async assignAll(rows: readonly DueHosting[], live: readonly Runner[]): Promise<void> {
    if (rows.length === 0 || live.length === 0) return;
    const loads = (await loadsOf(this.database, live)).map((load) => ({ ...load }));
    for (const { serverId, runnerId: before } of rows) {
      const chosen = loads.find(({ id }) => id === chooseRunner(serverId, loads));
      if (chosen === undefined || !(await assign(this.database, serverId, { before, runnerId: chosen.id }))) continue;
      chosen.servers += 1;
    }
  }

  private async publish(): Promise<void> {
    await this.changes.apply(AUTHOR, 'servers.placed', undefined, async (tx) => {
      const placed = await publishPlaces(tx);
      const [first] = placed;
      if (first === undefined) return { result: undefined, unchanged: true };
      const change = { servers: placed.map(({ slug, runner }) => ({ slug, runner })) };
      const dirty = placed.map(({ serverId }) => serverBucket(serverId));
      return { result: undefined, subject: { kind: 'runner', id: first.runnerId, slug: first.runner }, change, dirty };
    });
  }
}
