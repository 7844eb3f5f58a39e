import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, ownMember, parseJson, type SseEvent } from '@portcullis/mcp';
import type { Dispatcher } from 'undici';
import { readSseStream } from './read-sse-stream.js';
import type { SseExchange } from './sse-exchange.js';

/** Where the server's stream is, and the two ways there: one for streams that stay, one for messages. */
export interface SseEndpoint {
  readonly origin: string;
  readonly path: string;
  readonly streams: Dispatcher;
  readonly posts: Dispatcher;
  readonly eventBytesMax: number;
}

const ACK_BYTES_MAX = 64 * 1024;

/**
 * A connection of one agent to a server of 2024-11-05: messages go to the address that the stream named first, and their answers come on the stream.
 * When the stream ends everything that waits for it fails.
 */
export class SseConnection {
  /** Milliseconds on the monotonic clock. */
  lastUsedAt = performance.now();
  private readonly exchanges = new Set<SseExchange>();
  private readonly listeners = new Set<SseExchange>();
  private readonly ready: Promise<string>;
  private settle!: { resolve: (path: string) => void; reject: (error: Error) => void };
  private readonly cut: () => void;

  constructor(
    private readonly endpoint: SseEndpoint,
    opening: { headers: string[]; firstByteTimeoutMs: number },
    private readonly onGone: () => void,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    const request = { ...opening, path: endpoint.path, eventBytesMax: endpoint.eventBytesMax };
    this.cut = readSseStream(endpoint.streams, request, { onEvent: (event) => this.take(event), onFailure: (error) => this.fail(error) });
  }

  get isIdle(): boolean {
    return this.exchanges.size === 0 && this.listeners.size === 0;
  }

  /** Sends a message; its exchange is answered by the stream, or at once where there is nothing to answer. */
  async send(exchange: SseExchange, post: { headers: string[]; body: string; firstByteTimeoutMs: number }): Promise<void> {
    this.exchanges.add(exchange);
    let path: string;
    try {
      path = await this.ready;
    } catch (error) {
      turnAway(exchange, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (exchange.isOver) return;
    const { headers, body, firstByteTimeoutMs } = post;
    this.endpoint.posts.dispatch({ path, method: 'POST', headers, body, headersTimeout: firstByteTimeoutMs }, acknowledging(exchange));
  }

  /** Takes what the server says of itself, as on a GET stream. */
  listen(exchange: SseExchange): void {
    this.listeners.add(exchange);
    exchange.begin(200, { 'content-type': 'text/event-stream' });
  }

  forget(exchange: SseExchange): void {
    this.exchanges.delete(exchange);
    this.listeners.delete(exchange);
    this.lastUsedAt = performance.now();
  }

  close(): void {
    this.cut();
  }

  private take({ event, data }: SseEvent): void {
    if (event === 'endpoint') this.takeEndpoint(data);
    else if (event === 'message') this.takeMessage(data);
  }

  /** Credentials go where messages go, so that must be the server an operator named. */
  private takeEndpoint(data: string): void {
    const { origin, path } = this.endpoint;
    const url = URL.canParse(data, origin + path) ? new URL(data, origin + path) : undefined;
    if (url?.origin === origin && url.username === '' && url.password === '') this.settle.resolve(url.pathname + url.search);
    else this.fail(new GatewayError('upstream.protocol', { fault: 'the endpoint is elsewhere' }));
  }

  private takeMessage(text: string): void {
    let message: unknown;
    try {
      message = parseJson(text);
    } catch {
      return; // not for anybody
    }
    if (!isJsonObject(message)) return;
    const id = ownMember(message, 'id');
    const method = ownMember(message, 'method');
    if (method === undefined) {
      this.find(id)?.deliver(text, true);
      return;
    }
    const params = ownMember(message, 'params');
    const token = method === 'notifications/progress' && isJsonObject(params) ? ownMember(params, 'progressToken') : undefined;
    if (token !== undefined) this.find(token)?.deliver(text, false);
    else if (id === undefined && method !== 'notifications/message') for (const listener of this.listeners) listener.deliver(text, false);
    // The protocol does not say to which request a question or a log message belongs. All here are of one agent: it is the newest.
    else [...this.exchanges].findLast((exchange) => exchange.id !== undefined)?.deliver(text, false);
  }

  private find(id: unknown): SseExchange | undefined {
    for (const exchange of this.exchanges) if (exchange.id === id && id !== undefined) return exchange;
    return undefined;
  }

  private fail(error: Error): void {
    this.settle.reject(error);
    this.onGone();
    for (const exchange of [...this.exchanges, ...this.listeners]) turnAway(exchange, error);
    queueMicrotask(() => this.close());
  }
}

/** A stream that was refused for how it was signed in to is an answer: there may be another way to. */
function turnAway(exchange: SseExchange, error: Error): void {
  if (error instanceof GatewayError && error.detail['status'] === 401) exchange.answer(401, '');
  else exchange.fail(error);
}

/** The server only says that it has a message; what it refuses is the answer. */
function acknowledging(exchange: SseExchange): Dispatcher.DispatchHandler {
  let status = 0;
  let body = '';
  return {
    onRequestStart: () => undefined,
    onResponseStart: (_controller, code) => {
      status = code;
    },
    onResponseData: (_controller, chunk) => {
      if (body.length < ACK_BYTES_MAX) body += chunk.toString('latin1');
    },
    onResponseEnd: () => {
      if (status >= 300) exchange.answer(status, body);
      else if (exchange.id === undefined) exchange.answer(202, '');
    },
    onResponseError: (_controller, error) => exchange.fail(error),
  };
}
