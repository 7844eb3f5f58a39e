import { errors, type Dispatcher } from 'undici';
import type { RequestText } from './request-text.js';

type Handler = Dispatcher.DispatchHandler;

/** What an exchange is under way on. */
export interface Carrier {
  pause(): void;
  resume(): void;
  /** Ends it, and the exchange by this error. */
  lose(error: Error): void;
}

/** One request and whoever waits for its response, from being asked for to the end, which comes once. */
export class CallExchange implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  /** Where it is under way. */
  connection: Carrier | undefined;
  private isOver = false;

  constructor(
    readonly method: string,
    readonly request: RequestText,
    /** How long the head, and each piece after it, may be in coming; milliseconds, 0 for as long as it takes. */
    readonly patience: { readonly headMs: number; readonly pieceMs: number },
    readonly handler: Handler,
  ) {}

  /** Whether nobody waits any more. */
  get isDone(): boolean {
    return this.isOver;
  }

  abort(reason: Error): void {
    if (this.isOver) return;
    this.aborted = true;
    this.reason = reason;
    if (this.connection === undefined) this.fail(reason);
    else this.connection.lose(reason);
  }

  pause(): void {
    if (this.isOver || this.paused) return;
    this.paused = true;
    this.connection?.pause();
  }

  resume(): void {
    if (this.isOver || !this.paused) return;
    this.paused = false;
    this.connection?.resume();
  }

  succeed(): void {
    this.isOver = true;
    this.connection = undefined;
    this.handler.onResponseEnd?.(this, {});
  }

  fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection = undefined;
    this.handler.onResponseError?.(this, error);
  }

  /** What it ends with where nothing moved for so long. */
  overdue(hasHead: boolean, quietMs: number): Error | undefined {
    if (this.paused) return undefined;
    const { headMs, pieceMs } = this.patience;
    if (!hasHead) return headMs > 0 && quietMs >= headMs ? new errors.HeadersTimeoutError() : undefined;
    return pieceMs > 0 && quietMs >= pieceMs ? new errors.BodyTimeoutError() : undefined;
  }
}
