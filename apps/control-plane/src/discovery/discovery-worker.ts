import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@portcullis/boot';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { DISCOVERY_QUEUE, type DiscoveryJob, type DiscoveryQueue } from './discovery-queue.js';
import { runDiscovery, type DiscoveryOutcome, type DiscoveryParts } from './run-discovery.js';

export interface WorkerParts extends DiscoveryParts {
  /** A connection that waits for Redis as long as it takes. */
  readonly redis: Redis;
  readonly queue: DiscoveryQueue;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often the schedule is looked at. */
  readonly tickMs?: number;
}

const CONCURRENCY = 8;
const DUE_AT_ONCE = 500;
const TICK_MS = 2_000;
const CLOSE_MS = 5_000;

/** Works off the discovery queue and fills it with servers whose time has come. Any number may run. */
export class DiscoveryWorker {
  private readonly stopping = new AbortController();
  private readonly worker: Worker<DiscoveryJob>;
  private readonly schedule: Promise<void>;

  constructor(private readonly parts: WorkerParts) {
    const { redis, logger, metrics } = parts;
    const runs = metrics.counter({ name: 'discovery_runs_total', help: 'Discoveries by how they ended', labelNames: ['outcome'] });
    this.worker = new Worker<DiscoveryJob>(
      DISCOVERY_QUEUE,
      async ({ data }) => {
        do {
          const ended = await runDiscovery(parts, data.serverId, this.stopping.signal);
          runs.inc({ outcome: ended.outcome });
          this.tell(ended);
          // Whoever asked while the job ran was not queued again: serve them now.
        } while (!this.stopping.signal.aborted && (await parts.repository.isRequested(data.serverId)));
      },
      { connection: redis, concurrency: CONCURRENCY, skipVersionCheck: true },
    );
    this.worker.on('error', (error) => logger.debug({ error: error.message }, 'The discovery queue cannot be reached'));
    this.worker.on('failed', (_job, error) => {
      runs.inc({ outcome: 'error' });
      logger.error({ error: error.stack }, 'A discovery could not be carried out');
    });
    this.schedule = this.followSchedule(parts.tickMs ?? TICK_MS);
  }

  /** Leaves running discoveries to whoever comes next. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.schedule;
    // Without Redis a worker would wait for it to say that it goes.
    await Promise.race([this.worker.close(), sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  private async followSchedule(tickMs: number): Promise<void> {
    const { repository, queue, logger } = this.parts;
    let isDown = false;
    while (!this.stopping.signal.aborted) {
      try {
        const due = await repository.due(DUE_AT_ONCE);
        if (due.length > 0) await queue.add(due);
        isDown = false;
      } catch (error) {
        if (!isDown) logger.warn({ error: error instanceof Error ? error.message : String(error) }, 'Due discoveries cannot be queued');
        isDown = true;
      }
      // Spread, so that several workers do not look at the same moment for ever.
      await sleep(tickMs * (0.8 + Math.random() * 0.4), undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private tell(ended: DiscoveryOutcome): void {
    if (ended.outcome === 'failed') this.parts.logger.warn({ server: ended.slug, reason: ended.reason }, 'Discovery failed');
    else this.parts.logger.debug({ server: ended.slug, outcome: ended.outcome }, 'Discovery ended');
  }
}
