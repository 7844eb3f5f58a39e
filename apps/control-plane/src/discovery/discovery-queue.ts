import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Jobs are `{ serverId }`, one per server at a time. */
export const DISCOVERY_QUEUE = 'portcullis-discovery';

export interface DiscoveryJob {
  readonly serverId: string;
}

const PATIENCE_MS = 2_000;

/** Hands servers to the discovery workers. Fails soon while Redis is away; the row's own time then brings the run later. */
export class DiscoveryQueue {
  private readonly queue: Queue<DiscoveryJob>;

  constructor(redis: Redis) {
    this.queue = new Queue(DISCOVERY_QUEUE, { connection: redis, skipVersionCheck: true });
    this.queue.on('error', () => undefined); // the connection's owner tells of outages
  }

  /** A server whose job waits or runs is not queued twice. */
  async add(serverIds: readonly string[]): Promise<void> {
    const opts = { removeOnComplete: true, removeOnFail: true };
    const added = this.queue.addBulk(
      serverIds.map((serverId) => ({ name: 'discover', data: { serverId }, opts: { ...opts, jobId: `server-${serverId}` } })),
    );
    // Before its first connection the queue would wait for Redis for ever.
    const deadline = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: deadline.signal }).then(() => {
      throw new Error('Redis did not take the job in time');
    });
    await Promise.race([added, late]).finally(() => deadline.abort());
  }

  /** Does not wait for a Redis that never came. */
  async close(): Promise<void> {
    await Promise.race([this.queue.close(), sleep(PATIENCE_MS, undefined, { ref: false })]);
  }
}
