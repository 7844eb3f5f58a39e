import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@portcullis/boot';
import type { PrismaClient } from '@portcullis/database';
import { DelayedError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { BackgroundLoop } from '../background/background-loop.js';
import type { PolicyChanges } from '../changes/policy-changes.js';
import { DISCOVERY_QUEUE, LOOK_JOB, type DiscoveryJob, type DiscoveryQueue } from './discovery-queue.js';
import { FindingsStore } from './findings-store.js';
import { HostPlaces } from './host-places.js';
import { runDiscovery, type DiscoveryOutcome, type DiscoveryParts } from './run-discovery.js';

export interface WorkerParts extends Omit<DiscoveryParts, 'findings'> {
  readonly database: PrismaClient;
  readonly changes: PolicyChanges;
  /** A connection that waits for Redis as long as it takes. */
  readonly redis: Redis;
  readonly queue: DiscoveryQueue;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often the schedule is looked at. */
  readonly tickMs?: number;
}

const CONCURRENCY = 32;
const PER_HOST = 4;
const HOST_BUSY_MS = 500;
const DUE_AT_ONCE = 500;
const TICK_MS = 1_000;
/** How soon the look at the schedule is known again to a Redis that lost it. */
const KEEP_MS = 5_000;
const CLOSE_MS = 5_000;

/** Works off the discovery queue and fills it with servers whose time has come. Any number may run. */
export class DiscoveryWorker {
  private readonly stopping = new AbortController();
  private readonly worker: Worker<DiscoveryJob>;
  private readonly keeping: BackgroundLoop;
  private readonly places = new HostPlaces(PER_HOST);
  private readonly run: DiscoveryParts;
  private readonly runs: ReturnType<Metrics['counter']>;

  constructor(private readonly parts: WorkerParts) {
    const { redis, logger, metrics, repository, fetch, signIn, peerKeyOf } = parts;
    this.run = { repository, fetch, signIn, peerKeyOf, findings: new FindingsStore(parts.database, parts.changes) };
    this.runs = metrics.counter({ name: 'discovery_runs_total', help: 'Discoveries by how they ended', labelNames: ['outcome'] });
    this.worker = new Worker<DiscoveryJob>(DISCOVERY_QUEUE, (job, token) => this.work(job, token), {
      connection: redis,
      concurrency: CONCURRENCY,
      skipVersionCheck: true,
    });
    this.worker.on('error', (error) => logger.debug({ error: error.message }, 'The discovery queue cannot be reached'));
    this.worker.on('failed', (_job, error) => {
      this.runs.inc({ outcome: 'error' });
      logger.error({ error: error.stack }, 'A discovery could not be carried out');
    });
    const tickMs = parts.tickMs ?? TICK_MS;
    const turn = (): Promise<void> => parts.queue.keepLooking(tickMs);
    this.keeping = new BackgroundLoop(logger, { everyMs: KEEP_MS, afterFailureMs: tickMs, complaint: 'Due discoveries cannot be queued', turn });
    this.keeping.start();
  }

  /** Leaves running discoveries to whoever comes next. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.keeping.stop();
    // Without Redis a worker would wait for it to say that it goes.
    await Promise.race([this.worker.close(), sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  private async work(job: Job<DiscoveryJob>, token: string | undefined): Promise<void> {
    const { serverId } = job.data;
    if (job.name === LOOK_JOB || serverId === undefined) return this.look();
    const host = job.data.host ?? (await this.parts.repository.hostOf(serverId));
    if (host === undefined) return;
    for (;;) {
      const leave = this.places.take(host);
      if (leave === undefined) return later(job, token, HOST_BUSY_MS * (1 + Math.random()));
      await this.discover(serverId, leave).finally(leave);
      if (this.stopping.signal.aborted) return;
      // Whoever asked while the job ran was not queued again: serve them now, or when the server has rested.
      const waitMs = await this.parts.repository.requestedIn(serverId);
      if (waitMs === undefined) return;
      if (waitMs > 0) return later(job, token, waitMs);
    }
  }

  /** The place is left as soon as the server was asked: a host has nothing to do with what is stored. */
  private async discover(serverId: string, leave: () => void): Promise<void> {
    const ended = await runDiscovery(this.run, serverId, this.stopping.signal, leave);
    this.runs.inc({ outcome: ended.outcome });
    this.tell(ended);
  }

  private async look(): Promise<void> {
    const due = await this.parts.repository.due(DUE_AT_ONCE);
    if (due.length > 0) await this.parts.queue.addScheduled(due);
  }

  private tell(ended: DiscoveryOutcome): void {
    if (ended.outcome === 'failed') this.parts.logger.warn({ server: ended.slug, reason: ended.reason }, 'Discovery failed');
    else this.parts.logger.debug({ server: ended.slug, outcome: ended.outcome }, 'Discovery ended');
  }
}

/** Puts the job back for a while. Never returns. */
async function later(job: Job<DiscoveryJob>, token: string | undefined, waitMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + waitMs, token);
  throw new DelayedError();
}
