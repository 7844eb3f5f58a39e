import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { notFound } from '../http/problem.js';
import { DiscoveryQueue } from './discovery-queue.js';
import { DiscoveryRepository } from './discovery.repository.js';

const LOOK_MS = 100;

/** Asks the discovery workers for a run; the REST server itself goes to no server. */
@Injectable()
export class DiscoveryRequestsService {
  private readonly logger = new Logger('discovery');

  constructor(
    @Inject(DiscoveryRepository) private readonly repository: DiscoveryRepository,
    @Inject(DiscoveryQueue) private readonly queue: DiscoveryQueue,
  ) {}

  /** Has the server asked as soon as may be. Without Redis the workers find it by its row. Null when there is no such server. */
  async start(serverId: string): Promise<Date | null> {
    const since = await this.repository.request(serverId);
    if (since === null) return null;
    this.enqueue(serverId);
    return since;
  }

  /** A server said that it changed: it is asked again, but not all the time however often it says so. Nothing when there is no such server. */
  async noteChanged(serverId: string): Promise<void> {
    const waitMs = await this.repository.requestAfterRest(serverId);
    if (waitMs !== undefined) this.enqueue(serverId, waitMs);
  }

  /** Whether a run begun from now on ended within the time. Refuses (404) a server that does not exist. */
  async run(serverId: string, waitMs: number): Promise<boolean> {
    const since = await this.start(serverId);
    if (since === null) throw notFound('server');
    const end = performance.now() + waitMs;
    for (;;) {
      if (await this.repository.isFinished(serverId, since)) return true;
      if (performance.now() >= end) return false;
      await sleep(LOOK_MS);
    }
  }

  /** Not waited for: the answer must not hang on Redis. */
  private enqueue(serverId: string, waitMs = 0): void {
    this.queue.addFirst(serverId, waitMs).catch((error: unknown) => {
      this.logger.warn({ msg: 'A discovery could not be queued; it starts at the next look at the schedule', error: String(error) });
    });
  }
}
