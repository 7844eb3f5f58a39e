import { Inject, Logger, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundLoop } from '../background/background-loop.js';
import { IdempotencyKeys } from './idempotency-keys.js';

const FORGET_MS = 3_600_000;

@Module({ providers: [IdempotencyKeys], exports: [IdempotencyKeys] })
export class IdempotencyModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(@Inject(IdempotencyKeys) keys: IdempotencyKeys) {
    const turn = (): Promise<void> => keys.forgetOld();
    this.loop = new BackgroundLoop(new Logger('idempotency'), { everyMs: FORGET_MS, complaint: 'Old answers cannot be forgotten', turn });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
