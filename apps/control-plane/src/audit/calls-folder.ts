import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { BackgroundLoop } from '../background/background-loop.js';
import { foldCalls } from './fold-calls.js';

/** The longer, the more calls of an hour are added to a row at once; what is not added yet, reports read from the trail. */
const FOLD_MS = 10_000;
const ROUND_MS_MAX = 300_000;

/** Keeps the sums of calls up with the trail; any number of control planes may. */
@Injectable()
export class CallsFolder implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {
    const turn = (): Promise<boolean> => this.database.$transaction(foldCalls, { maxWait: 10_000, timeout: ROUND_MS_MAX });
    this.loop = new BackgroundLoop(new Logger('audit'), { everyMs: FOLD_MS, complaint: 'Calls cannot be summed up', turn });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
