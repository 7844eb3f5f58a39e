import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RetentionService } from './retention.service.js';

const LOOK_EVERY_MS = 3_600_000;
const AUTHOR = { name: 'portcullis/retention' };

/** Drops every hour what has been kept long enough. */
@Injectable()
export class RetentionClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('audit-retention');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(@Inject(RetentionService) private readonly retention: RetentionService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.run();
    }, LOOK_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      const { items } = await this.retention.run(AUTHOR, false);
      if (items.length > 0) this.logger.log({ msg: 'Days of the audit trail are over', items });
    } catch (error) {
      this.logger.warn({ msg: 'What is over could not be dropped; it is tried again', error: error instanceof Error ? error.message : 'unknown' });
    }
  }
}
