import type { Socket } from 'node:net';
import { errors } from 'undici';
import type { CallExchange } from './call-exchange.js';
import type { ResponseHead } from './response-head.js';
import { ResponseReader, type ResponseListener } from './response-reader.js';

/** Whose connection it is. */
export interface ConnectionOwner {
  /** It is there for another request. */
  onIdle(connection: CallConnection): void;
  onGone(connection: CallConnection): void;
}

/** A server closes what is idle when it likes; so much sooner than it says we do. */
const CLOSE_SOONER_MS = 2000;
const KEEP_ALIVE_SECONDS = /(?:^|[,; \t])timeout=(\d{1,6})/i;

/** One connection to a server, with one request at a time. Whatever comes unasked ends it. */
export class CallConnection implements ResponseListener {
  /** What it is kept for, or busy with. */
  exchange: CallExchange | undefined;
  private readonly reader = new ResponseReader(this);
  private isGone = false;
  /** Whether its exchange has begun, so that a byte of it may be at the server. */
  private hasBegun = false;
  private hasHead = false;
  private hasEnded = false;
  private persists = true;
  private hasMoved = true;
  private quietSince = 0;
  private idleMsMax: number;

  constructor(
    private readonly socket: Socket,
    private readonly owner: ConnectionOwner,
    private readonly keepAliveMs: number,
  ) {
    this.idleMsMax = keepAliveMs;
    socket.on('data', (bytes: Buffer) => this.take(() => this.reader.push(bytes)));
    socket.on('end', () => this.ended());
    socket.on('error', (error) => this.lose(error));
    socket.on('close', () => this.ended());
  }

  get isOpen(): boolean {
    return !this.isGone;
  }

  /** Sends the request that it is kept for. */
  begin(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    this.hasBegun = true;
    this.hasHead = false;
    this.hasMoved = true;
    exchange.connection = this;
    this.reader.begin(exchange.method);
    this.take(() => exchange.handler.onRequestStart?.(exchange, {}));
    if (!this.isGone) this.socket.write(exchange.request.text, exchange.request.encoding);
  }

  pause(): void {
    this.reader.pause();
    this.socket.pause();
  }

  resume(): void {
    this.hasMoved = true;
    this.take(() => this.reader.resume());
    if (this.exchange?.paused === true) return;
    if (this.hasEnded) this.ended();
    else this.socket.resume();
  }

  onHead({ status, headers, persists }: ResponseHead): void {
    const { exchange } = this;
    this.hasHead = true;
    this.persists = persists;
    const keepAlive = headers['keep-alive'];
    const seconds = keepAlive === undefined ? undefined : KEEP_ALIVE_SECONDS.exec([keepAlive].flat().join())?.[1];
    if (seconds !== undefined) this.idleMsMax = Math.min(this.keepAliveMs, Number(seconds) * 1000 - CLOSE_SOONER_MS);
    exchange?.handler.onResponseStart?.(exchange, status, headers);
  }

  onPiece(piece: Buffer): void {
    const { exchange } = this;
    exchange?.handler.onResponseData?.(exchange, piece);
  }

  onEnd(): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.hasBegun = false;
    this.hasMoved = true;
    exchange?.succeed();
    // A response that overtook its request leaves nobody sure what of it was read.
    if (this.persists && !this.hasEnded && this.idleMsMax > 0 && this.socket.writableLength === 0) this.owner.onIdle(this);
    else this.lose(new errors.SocketError('closed'));
  }

  /** Ends the connection, and by this error what it was busy with. What it was only kept for is not its to end. */
  lose(error: Error): void {
    if (this.isGone) return;
    this.isGone = true;
    this.reader.stop();
    this.socket.destroy();
    this.owner.onGone(this);
    if (this.hasBegun) this.exchange?.fail(error);
  }

  /** Looked at regularly, on the monotonic clock: ends what nothing moves on for too long. */
  check(now: number): void {
    if (this.hasMoved) {
      this.hasMoved = false;
      this.quietSince = now;
      return;
    }
    const quietMs = now - this.quietSince;
    if (this.hasBegun) {
      const error = this.exchange?.overdue(this.hasHead, quietMs);
      if (error !== undefined) this.lose(error);
    } else if (this.exchange === undefined && quietMs >= this.idleMsMax) this.lose(new errors.SocketError('idle'));
  }

  /** The server has closed. What came before, and waits for whoever reads it, is to be had all the same. */
  private ended(): void {
    this.hasEnded = true;
    if (this.isGone || this.exchange?.paused === true) return;
    this.take(() => this.reader.end());
    this.lose(new errors.SocketError('other side closed'));
  }

  /** A fault of the server, or of whoever listens, ends the connection. */
  private take(step: () => void): void {
    this.hasMoved ||= this.hasHead; // a head that comes byte by byte is not there yet
    try {
      step();
    } catch (error) {
      this.lose(error as Error);
    }
  }
}
