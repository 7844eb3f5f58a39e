import { encodeSseMessage, type RequestId } from '@portcullis/mcp';
import { errors, type Dispatcher } from 'undici';

/** What an exchange is for: the request it carries, if it carries one, and how much patience and memory it may take. */
interface SseExchangeOptions {
  readonly id: RequestId | undefined;
  readonly firstByteTimeoutMs: number;
  /** How much may wait here for a caller that does not take it. */
  readonly queueBytesMax: number;
  readonly session: string;
  readonly onEnd: (exchange: SseExchange) => void;
}

/** One request of ours over an HTTP+SSE connection, which its caller sees as an HTTP exchange of its own, answered by a stream. */
export class SseExchange implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  private isStarted = false;
  private isEnded = false;
  private isWhole = false;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly handler: Dispatcher.DispatchHandler,
    private readonly options: SseExchangeOptions,
  ) {
    const { firstByteTimeoutMs } = options;
    if (firstByteTimeoutMs > 0) this.timer = setTimeout(() => this.fail(new errors.HeadersTimeoutError()), firstByteTimeoutMs).unref();
    handler.onRequestStart?.(this, {});
  }

  get id(): RequestId | undefined {
    return this.options.id;
  }

  get isOver(): boolean {
    return this.isEnded;
  }

  /** A message of the server for this caller; after the last one the exchange ends. */
  deliver(message: string, isLast: boolean): void {
    if (this.isEnded || this.isWhole) return;
    this.begin(200, { 'content-type': 'text/event-stream' });
    this.isWhole = isLast;
    const bytes = Buffer.from(encodeSseMessage(message));
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    if (this.queuedBytes > this.options.queueBytesMax) this.fail(new errors.ResponseExceededMaxSizeError());
    else this.flush();
  }

  /** An answer that is no stream. */
  answer(status: number, body: string): void {
    if (this.isEnded || this.isStarted) return;
    this.begin(status, { 'content-type': 'application/json' });
    if (body !== '') this.queue.push(Buffer.from(body));
    this.isWhole = true;
    this.flush();
  }

  /** The answer has begun, and its messages come as they come. */
  begin(status: number, headers: Record<string, string>): void {
    if (this.isStarted || this.isEnded) return;
    this.isStarted = true;
    clearTimeout(this.timer);
    this.handler.onResponseStart?.(this, status, { ...headers, 'mcp-session-id': this.options.session }, '');
  }

  fail(error: Error): void {
    if (this.isEnded) return;
    this.end();
    this.handler.onResponseError?.(this, error);
  }

  abort(reason: Error): void {
    if (this.isEnded) return;
    this.aborted = true;
    this.reason = reason;
    this.fail(reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.flush();
  }

  private flush(): void {
    while (!this.paused && !this.isEnded) {
      const bytes = this.queue.shift();
      if (bytes === undefined) break;
      this.queuedBytes -= bytes.length;
      this.pass(bytes);
    }
    if (!this.isWhole || this.isEnded || this.queue.length > 0) return;
    this.end();
    this.handler.onResponseEnd?.(this, {});
  }

  /** A fault of whoever listens, be it for what the server said, ends the exchange; it may be gone on with by a timer, where nobody would catch it. */
  private pass(bytes: Buffer): void {
    try {
      this.handler.onResponseData?.(this, bytes);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private end(): void {
    this.isEnded = true;
    this.queue = [];
    clearTimeout(this.timer);
    this.options.onEnd(this);
  }
}
