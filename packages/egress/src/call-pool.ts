import type { Socket } from 'node:net';
import { Dispatcher, errors, type buildConnector } from 'undici';
import { CallConnection, type ConnectionOwner } from './call-connection.js';
import { CallExchange } from './call-exchange.js';
import { requestText, type RequestText } from './request-text.js';

export interface PoolOptions {
  /** Connections at most; requests beyond wait. Default 128. */
  readonly connections?: number;
  /** How long an idle connection is kept, in milliseconds; less where the server says less. Default 60 s. */
  readonly keepAliveTimeout?: number;
}

const CONNECTIONS = 128;
const KEEP_ALIVE_MS = 60_000;
const SILENCE_MS_MAX = 300_000;
const CHECK_EVERY_MS = 250;

/**
 * Connections to one origin, for requests that are sent whole: HTTP/1.1, one request at a time on each, nothing sent twice. It does what undici's pool
 * does at a third of the cost of a small call (docs/adr/0029).
 */
export class CallPool extends Dispatcher implements ConnectionOwner {
  private readonly connections = new Set<CallConnection>();
  /** Last used last. */
  private readonly idle: CallConnection[] = [];
  /** Kept for an exchange that begins as soon as it is known that nothing lies unread on them. */
  private kept: CallConnection[] = [];
  private readonly waiting: CallExchange[] = [];
  private opening = 0;
  private closing: PromiseWithResolvers<void> | undefined;
  private isDestroyed = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly connectionsMax: number;
  private readonly keepAliveMs: number;

  constructor(
    private readonly url: URL,
    private readonly connector: buildConnector.connector,
    { connections = CONNECTIONS, keepAliveTimeout = KEEP_ALIVE_MS }: PoolOptions = {},
  ) {
    super();
    this.connectionsMax = connections;
    this.keepAliveMs = keepAliveTimeout;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const patience = { headMs: options.headersTimeout ?? SILENCE_MS_MAX, pieceMs: options.bodyTimeout ?? SILENCE_MS_MAX };
    let request: RequestText = { text: '', encoding: 'latin1' };
    let fault: Error | undefined = this.closing && new errors.ClientClosedError();
    try {
      request = requestText(options, this.url.host);
    } catch (error) {
      fault = error as Error;
    }
    const exchange = new CallExchange(options.method, request, patience, handler);
    if (fault === undefined) this.place(exchange);
    else exchange.fail(fault);
    return true;
  }

  /** Takes no more requests, and waits for those it has. */
  override close(): Promise<void> {
    this.closing ??= Promise.withResolvers<void>();
    for (const connection of this.idle.slice()) connection.lose(new errors.ClientClosedError());
    this.endIfDone();
    return this.closing.promise;
  }

  /** Ends everything at once. */
  override destroy(): Promise<void> {
    this.isDestroyed = true;
    const closed = this.close();
    const error = new errors.ClientDestroyedError();
    for (const exchange of this.waiting.splice(0)) exchange.fail(error);
    for (const connection of this.connections) {
      const { exchange } = connection;
      connection.lose(error);
      exchange?.fail(error);
    }
    this.endIfDone();
    return closed;
  }

  onIdle(connection: CallConnection): void {
    const next = this.nextWaiting();
    if (next !== undefined) this.keep(connection, next);
    else if (this.closing === undefined) this.idle.push(connection);
    else connection.lose(new errors.ClientClosedError());
  }

  onGone(connection: CallConnection): void {
    this.connections.delete(connection);
    const place = this.idle.lastIndexOf(connection);
    if (place !== -1) this.idle.splice(place, 1);
    const next = this.nextWaiting();
    if (next !== undefined) this.place(next);
    this.endIfDone();
  }

  private place(exchange: CallExchange): void {
    const connection = this.idle.pop();
    if (connection !== undefined) this.keep(connection, exchange);
    else if (this.connections.size + this.opening < this.connectionsMax) this.open(exchange);
    else this.waiting.push(exchange);
  }

  private nextWaiting(): CallExchange | undefined {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) if (!next.isDone) return next;
    return undefined;
  }

  /**
   * What came unasked on a connection, or its end, is read before the next request goes out on it: else that would be taken for the answer to this
   * request, or be its loss.
   */
  private keep(connection: CallConnection, exchange: CallExchange): void {
    connection.exchange = exchange;
    if (this.kept.length === 0) setImmediate(() => this.beginKept());
    this.kept.push(connection);
  }

  private beginKept(): void {
    const { kept } = this;
    this.kept = [];
    for (const connection of kept) {
      const { exchange } = connection;
      if (exchange === undefined) continue;
      if (exchange.isDone) {
        connection.exchange = undefined;
        if (connection.isOpen) this.onIdle(connection);
      } else if (connection.isOpen) connection.begin();
      else this.place(exchange);
    }
    this.endIfDone();
  }

  private open(exchange: CallExchange): void {
    const { protocol, hostname, host, port } = this.url;
    const done: buildConnector.Callback = (error, socket) => {
      this.opening -= 1;
      if (error === null) this.opened(socket, exchange);
      else this.notOpened(error, exchange);
    };
    this.opening += 1;
    try {
      this.connector({ protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, port }, done);
    } catch (error) {
      done(error as Error, null);
    }
  }

  private opened(socket: Socket, exchange: CallExchange): void {
    const connection = new CallConnection(socket, this, this.keepAliveMs);
    this.connections.add(connection);
    this.timer ??= setInterval(() => this.check(), CHECK_EVERY_MS).unref();
    if (this.isDestroyed) exchange.fail(new errors.ClientDestroyedError());
    if (exchange.isDone) this.onIdle(connection);
    else {
      connection.exchange = exchange;
      connection.begin();
    }
  }

  private notOpened(error: Error, exchange: CallExchange): void {
    exchange.fail(error);
    const next = this.nextWaiting();
    if (next !== undefined) this.place(next);
    this.endIfDone();
  }

  private check(): void {
    const now = performance.now();
    for (const connection of this.connections) connection.check(now);
  }

  private endIfDone(): void {
    if (this.connections.size > 0 || this.opening > 0 || this.kept.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.waiting.length === 0) this.closing?.resolve();
  }
}
