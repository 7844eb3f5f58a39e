import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { DiscoveryQueue } from './discovery-queue.js';
import { DiscoveryRepository } from './discovery.repository.js';
import { DiscoveryRequestsService } from './discovery-requests.service.js';

/** What the REST server has of discovery: asking for it. */
@Module({
  providers: [
    DiscoveryRepository,
    DiscoveryRequestsService,
    { provide: DiscoveryQueue, inject: [Redis], useFactory: (redis: Redis) => new DiscoveryQueue(redis) },
  ],
  exports: [DiscoveryRequestsService],
})
export class DiscoveryModule implements OnApplicationShutdown {
  constructor(@Inject(DiscoveryQueue) private readonly queue: DiscoveryQueue) {}

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }
}
