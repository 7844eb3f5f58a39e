import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';

export interface BackgroundWork {
  readonly everyMs: number;
  /** What is wrong while it fails. */
  readonly complaint: string;
  /** One turn. True: there may be more to do at once. */
  readonly turn: () => Promise<boolean | void>;
  /** Whether the first turn waits as well. */
  readonly waitsFirst?: boolean;
}

/** Does something again and again until it is stopped. What fails is tried at the next turn, and told of once, until it is something else or over. */
export class BackgroundLoop {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly work: BackgroundWork,
  ) {}

  get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  start(): void {
    this.running = this.run();
  }

  /** Resolves when the turn that is under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { turn, complaint, waitsFirst = false } = this.work;
    if (waitsFirst) await this.rest();
    for (let told = ''; !this.isStopping;) {
      let isMore: boolean | void = false;
      let why = '';
      try {
        isMore = await turn();
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (why !== '' && why !== told) this.logger.warn({ msg: complaint, error: why });
      told = why;
      if (isMore !== true) await this.rest();
    }
  }

  private async rest(): Promise<void> {
    await sleep(this.work.everyMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }
}
