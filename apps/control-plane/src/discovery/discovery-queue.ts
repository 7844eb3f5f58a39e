import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';

/** Jobs are of one server each, one per server at a time, and the look at the schedule, which has no server. */
export const DISCOVERY_QUEUE = 'portcullis-discovery';
/** Name of the jobs that look for servers whose time has come. */
export const LOOK_JOB = 'look';

export interface DiscoveryJob {
  readonly serverId?: string;
  /** Where it is to be reached, where that was known. */
  readonly host?: string;
}

export interface DueServer {
  readonly id: string;
  /** As `host:port`. */
  readonly host: string;
}

const PATIENCE_MS = 2_000;
/** Whoever asks waits for an answer, or for a changed tool to vanish: before those whose time has merely come. */
const SCHEDULED_PRIORITY = 10;
const opts: JobsOptions = { removeOnComplete: true, removeOnFail: true };
const jobIdOf = (serverId: string): string => `server-${serverId}`;

/** Hands servers to the discovery workers. Fails soon while Redis is away; the row's own time then brings the run later. */
export class DiscoveryQueue {
  private readonly queue: Queue<DiscoveryJob>;

  constructor(redis: Redis) {
    this.queue = new Queue(DISCOVERY_QUEUE, { connection: redis, skipVersionCheck: true });
    this.queue.on('error', () => undefined); // the connection's owner tells of outages
  }

  /** Those whose time has come. A server whose job waits or runs is not queued twice. */
  async addScheduled(servers: readonly DueServer[]): Promise<void> {
    const jobs = servers.map(({ id, host }) => ({
      name: 'discover',
      data: { serverId: id, host },
      opts: { ...opts, jobId: jobIdOf(id), priority: SCHEDULED_PRIORITY },
    }));
    await inTime(this.queue.addBulk(jobs));
  }

  /** One that somebody waits for, before all others, now or after a while. */
  async addFirst(serverId: string, waitMs: number): Promise<void> {
    await inTime(this.first(serverId, waitMs));
  }

  /** Has the schedule looked at this often by one worker of all. Said again and again, so that it is known to a Redis that lost it. */
  async keepLooking(everyMs: number): Promise<void> {
    await inTime(this.queue.upsertJobScheduler(LOOK_JOB, { every: everyMs }, { name: LOOK_JOB, data: {}, opts }));
  }

  private async first(serverId: string, waitMs: number): Promise<void> {
    const delay = waitMs > 0 ? { delay: waitMs } : {};
    const job = await this.queue.add('discover', { serverId }, { ...opts, ...delay, jobId: jobIdOf(serverId) });
    if (waitMs > 0) return;
    // It may have been queued before, behind others or for later.
    const state = await job.getState();
    if (state === 'prioritized') await job.changePriority({ priority: 0 });
    else if (state === 'delayed') await job.promote();
  }

  /** Does not wait for a Redis that never came. */
  async close(): Promise<void> {
    await Promise.race([this.queue.close(), sleep(PATIENCE_MS, undefined, { ref: false })]);
  }
}

/** Before its first connection the queue would wait for Redis for ever. */
async function inTime(work: Promise<unknown>): Promise<void> {
  const deadline = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: deadline.signal }).then(() => {
    throw new Error('Redis did not take the job in time');
  });
  work.catch(() => undefined); // told by the race, or too late to matter
  await Promise.race([work, late]).finally(() => deadline.abort());
}
