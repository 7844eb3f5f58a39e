import { createSseParser, type SseParser } from '@portcullis/mcp';
import type { Dispatcher } from 'undici';

/** A request whose answer is a stream without an end. */
interface EventStreamRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: string[];
  readonly body: string | null;
  readonly onMessage: (message: string) => void;
}

const HEAD_MS_MAX = 30_000;
const EVENT_BYTES_MAX = 256 * 1024;
/** Messages taken in one second; a server with more to say is read more slowly. */
const MESSAGES_MAX = 200;

/** One stream of a server, read for as long as it lasts. */
export class EventStream implements Dispatcher.DispatchHandler {
  /** The status of the answer, 0 for an answer with no stream in it; rejects when there was no answer. */
  readonly opened: Promise<number>;
  /** Fulfilled when the stream is over, for whatever reason. */
  readonly ended: Promise<void>;
  private readonly settle = { opened: Promise.withResolvers<number>(), ended: Promise.withResolvers<void>() };
  private readonly parser: SseParser = createSseParser({ lineBytesMax: EVENT_BYTES_MAX, eventBytesMax: EVENT_BYTES_MAX });
  private controller: Dispatcher.DispatchController | undefined;
  private closed = false;
  private taken = 0;
  private takenSince = 0;

  constructor(
    pool: Dispatcher,
    private readonly request: EventStreamRequest,
  ) {
    this.opened = this.settle.opened.promise;
    this.ended = this.settle.ended.promise;
    this.opened.catch(() => undefined);
    const { method, path, headers, body } = request;
    pool.dispatch({ path, method, headers, body, headersTimeout: HEAD_MS_MAX, bodyTimeout: 0 }, this);
  }

  get lastEventId(): string | undefined {
    return this.parser.lastEventId;
  }

  /** How long the server asks to wait before the stream is opened again. */
  get retryMs(): number | undefined {
    return this.parser.retryMs;
  }

  close(): void {
    this.closed = true;
    this.controller?.abort(new Error('No longer needed'));
    this.settle.opened.reject(new Error('No longer needed'));
    this.settle.ended.resolve();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.closed) controller.abort(new Error('No longer needed'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    const type = headers['content-type'];
    const isStream = status === 200 && typeof type === 'string' && type.startsWith('text/event-stream');
    this.settle.opened.resolve(isStream || status !== 200 ? status : 0);
    if (!isStream) controller.abort(new Error('Not a stream'));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.closed) return;
    for (const { data } of this.parser.push(chunk)) {
      this.taken += 1;
      this.request.onMessage(data);
    }
    if (this.parser.fault !== undefined) this.close();
    else this.slowDown(controller);
  }

  onResponseEnd(): void {
    this.settle.ended.resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settle.opened.reject(error);
    this.settle.ended.resolve();
  }

  private slowDown(controller: Dispatcher.DispatchController): void {
    const now = performance.now();
    if (now - this.takenSince > 1000) {
      this.takenSince = now;
      this.taken = 0;
    }
    if (this.taken < MESSAGES_MAX) return;
    controller.pause();
    setTimeout(() => controller.resume(), 1000).unref();
  }
}
