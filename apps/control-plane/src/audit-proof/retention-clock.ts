import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BackgroundWork } from '../background/background-loop.js';
import { RetentionService } from './retention.service.js';

const LOOK_EVERY_MS = 3_600_000;
const AUTHOR = { name: 'portcullis/retention' };

/** Drops every hour what has been kept long enough. */
@Injectable()
export class RetentionClock implements BackgroundWork {
  readonly everyMs = LOOK_EVERY_MS;
  readonly waitsFirst = true;
  readonly complaint = 'What is over could not be dropped; it is tried again';
  private readonly logger = new Logger('audit-retention');

  constructor(@Inject(RetentionService) private readonly retention: RetentionService) {}

  async turn(): Promise<void> {
    const { items } = await this.retention.run(AUTHOR, false);
    if (items.length > 0) this.logger.log({ msg: 'Days of the audit trail are over', items });
  }
}
