import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';

/** Something that is to be done again and again while the process runs. */
export interface BackgroundWork {
  /** Rest between two turns. */
  readonly everyMs: number;
  /** Rest after a turn that failed, where that is another. */
  readonly afterFailureMs?: number;
  /** Whether the first turn waits as well. */
  readonly waitsFirst?: boolean;
  /** What is wrong while it fails. */
  readonly complaint: string;
  /** One turn; the signal is given when nothing more is to be begun. True: there may be more to do at once. */
  turn(stopping: AbortSignal): Promise<boolean | void>;
}

/** Says what is wrong. Nest's loggers can, and those of processes without Nest. */
export interface Complaining {
  warn(what: { readonly msg: string; readonly error: string }): void;
}

/**
 * Does something again and again until it is stopped; Nest starts and stops one that is a provider. What fails is tried at the next turn, and told of
 * once, until it is something else or over.
 */
export class BackgroundLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly logger: Complaining,
    private readonly work: BackgroundWork,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Resolves when the turn that is under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  private async run(): Promise<void> {
    const { work, stopping } = this;
    if (work.waitsFirst === true) await this.rest(work.everyMs);
    for (let told = ''; !stopping.signal.aborted;) {
      let isMore: boolean | void = false;
      let why = '';
      try {
        isMore = await work.turn(stopping.signal);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (why !== '' && why !== told) this.logger.warn({ msg: work.complaint, error: why });
      told = why;
      if (isMore !== true) await this.rest(why === '' ? work.everyMs : (work.afterFailureMs ?? work.everyMs));
    }
  }

  private async rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }
}
