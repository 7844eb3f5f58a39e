import type { ServerResponse } from 'node:http';
import type { ProgressLine } from '@portcullis/mcp';
import { NOWHERE, Roster, type Enrolled } from '../memory/roster.js';
import { EventBatch } from './event-batch.js';
import type { AnswerBody, Reply } from './reply.js';
import { endInPieces, onceDrained } from './slow-reader.js';
import { writeJson } from './write-json.js';

/** How often a stream that has nothing to say says so. */
export const KEEP_ALIVE_MS = 15_000;

/** Replies that wait for their server; one timer looks after all of them. */
const waiting = new Roster<HttpReply>();
let timer: NodeJS.Timeout | undefined;

/**
 * An answer over HTTP: plain JSON while there is one message only, an SSE stream as soon as there is another, or as soon as the caller has waited
 * for `KEEP_ALIVE_MS`. Headers given to it go out with whichever comes first.
 */
export class HttpReply implements Reply, Enrolled {
  rosterPlace = NOWHERE;
  private streaming = false;
  private finished = false;
  private quietSince = 0;
  /** Whether the last message is on its way; until that is whole nothing else may be written. */
  private hasBegun = false;
  /** Messages that wait for the end of this turn. */
  private readonly unsent = new EventBatch();
  private readonly headers: string[] = [];

  constructor(private readonly response: ServerResponse) {}

  /** A header of the answer; it must come before the first message. */
  setHeader(name: string, value: string): void {
    this.headers.push(name, value);
  }

  get isFinished(): boolean {
    return this.finished;
  }

  notify(message: string): boolean {
    if (this.isDeaf()) return true;
    this.beginBatch();
    this.unsent.addText(message);
    return !this.response.writableNeedDrain;
  }

  notifyProgress(line: ProgressLine, token: Uint8Array): boolean {
    if (this.isDeaf()) return true;
    this.beginBatch();
    this.unsent.addProgress(line, token);
    return !this.response.writableNeedDrain;
  }

  /** Whether it takes no more messages before the last one. */
  private isDeaf(): boolean {
    return this.finished || this.hasBegun || this.response.destroyed;
  }

  /** Messages that came together leave together: a write for each costs more than all else that is done with it. */
  private beginBatch(): void {
    if (!this.unsent.isEmpty) return;
    this.startStream();
    this.quietSince = performance.now();
    process.nextTick(() => this.flush());
  }

  private flush(): void {
    if (this.unsent.isEmpty) return;
    const [bytes, onWritten] = this.unsent.take();
    if (!this.response.destroyed) this.response.write(bytes, onWritten);
  }

  begin(): AnswerBody | undefined {
    if (this.finished || this.response.destroyed) return undefined;
    this.hasBegun = true;
    this.flush();
    waiting.remove(this);
    if (this.streaming) this.response.write('event: message\ndata: ');
    else this.response.writeHead(200, [...this.headers, 'content-type', 'application/json']);
    return {
      write: (piece, onWritten) => this.writePiece(piece, onWritten),
      end: (piece) => this.endPieces(piece),
      onceDrained: (listener) => this.onceDrained(listener),
    };
  }

  private writePiece(piece: Uint8Array, onWritten?: () => void): boolean {
    if (this.finished || this.response.destroyed) return true;
    return this.response.write(this.streaming ? onOneLine(piece) : piece, (error) => {
      if (!error) onWritten?.();
    });
  }

  private endPieces(piece: Uint8Array): void {
    this.writePiece(piece);
    if (this.finished) return;
    this.finished = true;
    if (this.response.destroyed) return;
    if (this.streaming) this.response.end('\n\n');
    else this.response.end();
  }

  finish(status: number, message: readonly (string | Buffer)[]): void {
    if (this.isOver()) return;
    if (this.streaming) {
      // In one piece: Node ends a corked chunked answer before it writes what was corked.
      endInPieces(
        this.response,
        Buffer.concat(
          ['event: message\ndata: ', ...message.map((piece) => onOneLine(Buffer.from(piece))), '\n\n'].map((piece) => Buffer.from(piece)),
        ),
      );
      return;
    }
    writeJson(this.response, status, { headers: this.headers, body: message });
  }

  finishSilently(): void {
    if (this.isOver()) return;
    this.startStream();
    this.response.end();
  }

  /** An answer without a message: a notification was taken, a session ended. */
  finishEmpty(status: number): void {
    if (this.isOver()) return;
    this.response.writeHead(status, [...this.headers, 'content-length', '0']);
    this.response.end();
  }

  /** Whether it is too late to end the reply; from now on it is. A message that had begun is cut off. */
  private isOver(): boolean {
    if (this.finished) return true;
    this.finished = true;
    this.flush();
    waiting.remove(this);
    if (this.hasBegun) this.response.destroy();
    return this.response.destroyed;
  }

  /** Gives the answer away as an SSE stream that whoever takes it writes and ends. */
  openStream(): ServerResponse {
    this.startStream();
    this.flush();
    this.finished = true;
    this.response.flushHeaders();
    return this.response;
  }

  onGone(listener: () => void): void {
    const end = (): void => {
      waiting.remove(this);
      if (!this.finished) listener();
    };
    // One that went away before anybody asked says so no more.
    if (this.response.closed) queueMicrotask(end);
    else this.response.once('close', end);
  }

  onceDrained(listener: () => void): void {
    onceDrained(this.response, listener);
  }

  onceSent(listener: () => void): void {
    if (this.response.closed) listener();
    else this.response.once('close', listener);
  }

  /** From here on the caller is kept waiting by a server, and told so from time to time. */
  keepAlive(): void {
    if (this.finished) return;
    this.quietSince = performance.now();
    waiting.add(this);
    timer ??= setInterval(sayAlive, 1000).unref();
  }

  sayAlive(now: number): void {
    if (now - this.quietSince < KEEP_ALIVE_MS || this.response.destroyed) return;
    this.startStream();
    this.flush();
    this.quietSince = now;
    // A slow reader has enough in its buffers to know that we are there.
    if (!this.response.writableNeedDrain) this.response.write(': keep-alive\n\n');
  }

  private startStream(): void {
    if (this.streaming) return;
    this.streaming = true;
    this.response.writeHead(200, [
      ...this.headers,
      'content-type',
      'text/event-stream',
      'cache-control',
      'no-cache, no-transform',
      'x-accel-buffering',
      'no',
    ]);
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** JSON has line breaks between its tokens only; in a stream of events they would end the message. */
function onOneLine(json: Uint8Array): Uint8Array {
  if (!json.includes(LF) && !json.includes(CR)) return json;
  return json.map((byte) => (byte === LF || byte === CR ? 0x20 : byte));
}

function sayAlive(): void {
  const now = performance.now();
  waiting.forEach((reply) => reply.sayAlive(now));
}
