import type { LocalService } from '@portcullis/local-services';
import { messageOf } from '../cli-error.js';
import { BackOff, type Kept, type KeptHooks } from './kept.js';

/** How to start a service, the same way each time. */
export interface ServiceSpec {
  readonly name: string;
  readonly start: () => Promise<LocalService>;
  /** What ends it at once without leaving children behind. */
  readonly killSignal: NodeJS.Signals;
}

/** Starts Postgres or Redis and keeps it running. Rejects with a LocalServiceError when the first start fails. */
export async function keepService(spec: ServiceSpec, hooks: KeptHooks): Promise<KeptService> {
  return new KeptService(spec, hooks, await spec.start());
}

export class KeptService implements Kept {
  readonly #backOff = new BackOff();
  #service: LocalService;
  #isUp = true;
  #isStopping = false;
  #coming: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(
    private readonly spec: ServiceSpec,
    private readonly hooks: KeptHooks,
    service: LocalService,
  ) {
    this.#service = service;
    this.#follow(service);
  }

  get name(): string {
    return this.spec.name;
  }

  get url(): string {
    return this.#service.url;
  }

  get pid(): number | undefined {
    return this.#isUp ? this.#service.pid : undefined;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    await this.#coming;
    await this.#service.stop();
  }

  kill(): void {
    this.#isStopping = true;
    this.#wake?.();
    if (!this.#isUp) return;
    try {
      process.kill(this.#service.pid, this.spec.killSignal);
    } catch {
      // It ended by itself a moment ago.
    }
  }

  #follow(service: LocalService): void {
    this.#backOff.started(Date.now());
    void service.exited.then(() => {
      this.#isUp = false;
      this.hooks.changed();
      if (!this.#isStopping) this.#coming = this.#comeBack();
    });
  }

  async #comeBack(): Promise<void> {
    for (let what = 'ended'; !this.#isStopping;) {
      const waitMs = this.#backOff.nextMs(Date.now());
      this.hooks.report(`${this.name} ${what} and starts again in ${waitMs / 1000} s`);
      await this.#pause(waitMs);
      if (this.#isStopping) return;
      try {
        this.#service = await this.spec.start();
        this.#isUp = true;
        this.hooks.changed();
        return this.#follow(this.#service);
      } catch (error) {
        what = `could not be started (${messageOf(error)})`;
      }
    }
  }

  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
