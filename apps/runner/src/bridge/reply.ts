import type { ServerResponse } from 'node:http';
import type { RpcFault } from './rpc-fault.js';

/** Where what a child says about one request goes. */
export interface Reply {
  /** The answer: one whole message, its id restored. Nothing comes after it. */
  answer(message: Buffer | string): void;
  /** A message before the answer. False: its reader is slow, and `onceDrained` tells when it has caught up. */
  notify(message: Buffer | string): boolean;
  /** Called once, when there is room again or nobody reads any more. */
  onceDrained(then: () => void): void;
  /** There will be no answer. `idJson` is the request's id. */
  fail(fault: RpcFault, idJson: string): void;
}

/** How much may wait for a slow reader, and for how long. */
const WAITING_BYTES_MAX = 1024 * 1024;
const WAITING_MS_MAX = 20_000;
const SHORT_BYTES_MAX = 16 * 1024;
const CR = 0x0d;
const STREAM_HEAD = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/** The answer to one POST, or a stream: a single JSON message where nothing comes before the answer, else server-sent events. */
export class HttpReply implements Reply {
  private isStream = false;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly response: ServerResponse,
    onGone: () => void,
  ) {
    response.once('close', () => {
      this.wake();
      if (!response.writableFinished) onGone();
    });
  }

  /** Opens a stream before there is anything to say. */
  open(): void {
    if (this.isStream || this.response.headersSent) return;
    this.isStream = true;
    this.response.writeHead(200, STREAM_HEAD);
    this.response.flushHeaders();
  }

  answer(message: Buffer | string): void {
    if (this.response.writableEnded) return;
    if (this.isStream) {
      this.event(message);
      this.response.end();
      return;
    }
    this.json(200, message);
  }

  notify(message: Buffer | string): boolean {
    if (this.response.writableEnded || this.response.destroyed) return true;
    this.open();
    this.event(message);
    return this.response.writableLength <= WAITING_BYTES_MAX;
  }

  onceDrained(then: () => void): void {
    if (this.response.destroyed) return then();
    this.waiters.push(then);
    if (this.waiters.length > 1) return;
    // A reader that takes nothing must not stop the child for others.
    const timer = setTimeout(() => this.response.destroy(), WAITING_MS_MAX);
    this.waiters.push(() => clearTimeout(timer));
    this.response.once('drain', () => this.wake());
  }

  fail(fault: RpcFault, idJson: string): void {
    if (this.response.writableEnded) return;
    const message = fault.asMessage(idJson);
    // What has not run is refused by its status; what may have run is an answer like any other.
    if (this.isStream || fault.mayHaveRun) return this.answer(message);
    if (fault.retryAfterMs !== undefined) this.response.setHeader('retry-after', Math.ceil(fault.retryAfterMs / 1000));
    this.json(503, message);
  }

  json(status: number, message: Buffer | string): void {
    this.response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(message) });
    // A short text goes out in one piece with the head; as latin1 every byte stays what it was.
    if (typeof message === 'string' || message.length > SHORT_BYTES_MAX) this.response.end(message);
    else this.response.end(message.toString('latin1'), 'latin1');
  }

  /** Ends it without an answer. */
  end(): void {
    if (!this.response.writableEnded) this.response.end();
  }

  private event(message: Buffer | string): void {
    this.response.cork();
    this.response.write('data: ');
    this.response.write(oneLine(message));
    this.response.write('\n\n');
    this.response.uncork();
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const then of waiters) then();
  }
}

/** A carriage return ends a line of the stream; in JSON it stands only where a space may. */
function oneLine(message: Buffer | string): Buffer | string {
  if (typeof message === 'string') return message.includes('\r') ? message.replaceAll('\r', ' ') : message;
  if (!message.includes(CR)) return message;
  const cleaned = Buffer.from(message);
  for (let at = cleaned.indexOf(CR); at >= 0; at = cleaned.indexOf(CR, at)) cleaned[at] = 0x20;
  return cleaned;
}
