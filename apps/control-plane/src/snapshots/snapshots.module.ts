import { Global, Inject, Module, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Metrics } from '@portcullis/boot';
import { PrismaClient } from '@portcullis/database';
import { createSnapshotStore } from '@portcullis/snapshot';
import { Redis } from 'ioredis';
import { PolicyNews } from '../changes/policy-news.js';
import { KeyRing } from '../keys/key-ring.js';
import { announceDirty, onDirty } from './dirty-channel.js';
import { METRICS } from '../metrics/metrics.module.js';
import { reportPublishing } from './report-publishing.js';
import { SnapshotPublisher } from './snapshot-publisher.js';

/** Publishes policy while the application runs. */
@Global()
@Module({
  providers: [
    {
      provide: SnapshotPublisher,
      inject: [PrismaClient, Redis, KeyRing, METRICS],
      useFactory: (database: PrismaClient, redis: Redis, keys: KeyRing, metrics: Metrics) =>
        new SnapshotPublisher({ database, keys, store: createSnapshotStore(redis), report: reportPublishing(metrics) }),
    },
  ],
  exports: [SnapshotPublisher],
})
export class SnapshotsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stopListening: (() => void)[] = [];

  constructor(
    @Inject(SnapshotPublisher) private readonly publisher: SnapshotPublisher,
    @Inject(PolicyNews) private readonly news: PolicyNews,
    @Inject(Redis) private readonly redis: Redis,
  ) {}

  onApplicationBootstrap(): void {
    this.publisher.start();
    this.stopListening = [
      this.news.onCommitted((revision) => this.publisher.nudge(revision)),
      // Where this process cannot publish, another may.
      this.news.onCommitted((revision) => void announceDirty(this.redis, revision).catch(() => undefined)),
      onDirty(this.redis, (revision) => this.publisher.nudge(revision)),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const stop of this.stopListening) stop();
    await this.publisher.stop();
  }
}
