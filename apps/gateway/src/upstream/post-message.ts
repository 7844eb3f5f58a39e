import { GatewayError } from '@portcullis/contracts/errors';
import { createSseParser, type ProgressLine, type SseParser } from '@portcullis/mcp';
import type { Dispatcher } from 'undici';
import { NOWHERE, Roster, type Enrolled } from '../memory/roster.js';
import { giveBack, PausePlace } from '../reply/give-back.js';
import { AnswerBytes } from './answers/answer-bytes.js';
import type { LargeReader } from './answers/answer-turns.js';
import type { AnswerShare } from './answers/large-answers.js';
import { failureOf, faultOf, isRefusedConnection } from './post-failure.js';
import { Resumption } from './resumption.js';
import type { PostInFlight, UpstreamAnswer, UpstreamPost } from './upstream-post.js';

/**
 * Sends a message; never again by itself once a connection was there, whatever happens: a call may have run as soon as one byte of it was sent.
 * A connection that was refused is tried once more.
 */
export function postMessage(pool: Dispatcher, post: UpstreamPost): PostInFlight {
  const exchange = new PostExchange(pool, post);
  exchange.dispatch();
  return exchange;
}

const STREAM_TAIL_MS = 2000;
const CHECK_EVERY_MS = 500;
const RECONNECT_MS = 100;
/** A body that is not a stream is made already; so long a pause in it is a fault. */
const BODY_IDLE_MS_MAX = 60_000;
/** How many times its largest answer a stream may bring in all. */
const STREAM_ANSWERS_MAX = 4;
/** Messages of a stream that are taken in each half second; one with more to say is read more slowly. */
const MESSAGES_MAX = 500;
/** What is larger shares the node's time and memory with others like it. */
const LARGE_BYTES = 128 * 1024;
/** Why no more of an answer is read for now. */
const [PACE, READER, TURN, ROOM] = [1, 2, 4, 8];
const running = new Roster<PostExchange>();
let timer: NodeJS.Timeout | undefined;

/** One timer for all: a timer of its own for every call costs more than the look at the clock here. */
function endOverdue(): void {
  const now = performance.now();
  running.forEach((exchange) => exchange.check(now));
}

class PostExchange implements Dispatcher.DispatchHandler, PostInFlight, Enrolled, LargeReader {
  rosterPlace = NOWHERE;
  allowance = 0;
  readonly answer: Promise<UpstreamAnswer>;
  private resolve!: (answer: UpstreamAnswer) => void;
  private reject!: (error: GatewayError) => void;
  private controller: Dispatcher.DispatchController | undefined;
  private aborted: GatewayError | undefined;
  private settled = false;
  private status = 0;
  private sessionId: string | undefined;
  private bytes = 0;
  private readonly body: AnswerBytes;
  private readonly pausePlace = new PausePlace();
  private stream: SseParser<ProgressLine> | undefined;
  private endsAt: number;
  private lastByteAt = Number.POSITIVE_INFINITY;
  private messages = 0;
  private waitsFor = 0;
  private announcedBytes = 0;
  private isReconnected = false;
  private readonly resumption: Resumption | undefined;

  constructor(
    private readonly pool: Dispatcher,
    private readonly post: UpstreamPost,
  ) {
    this.body = new AnswerBytes(post.relay);
    this.endsAt = performance.now() + post.totalTimeoutMs;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (post.resumeHeaders !== undefined) this.resumption = new Resumption(post.resumeHeaders);
    running.add(this);
    timer ??= setInterval(endOverdue, CHECK_EVERY_MS).unref();
  }

  dispatch(): void {
    const { path, headers, body, firstByteTimeoutMs, totalTimeoutMs } = this.post;
    this.pool.dispatch({ path, method: 'POST', headers, body, headersTimeout: firstByteTimeoutMs, bodyTimeout: totalTimeoutMs }, this);
  }

  get agentId(): string {
    return this.post.share?.agentId ?? '';
  }

  resume(): void {
    this.goOn(READER);
  }

  readOn(): void {
    this.goOn(TURN);
  }

  abort(reason: GatewayError): void {
    if (this.settled) return;
    this.aborted = reason;
    this.fail(reason);
    this.controller?.abort(reason);
  }

  /** Looked at every `CHECK_EVERY_MS`, on the monotonic clock. */
  check(now: number): void {
    this.messages = 0;
    if ((this.waitsFor & PACE) !== 0) this.goOn(PACE);
    const idleMs = this.stream === undefined ? Math.min(BODY_IDLE_MS_MAX, this.post.firstByteTimeoutMs) : this.post.firstByteTimeoutMs;
    if (now - this.lastByteAt > idleMs && !this.settled && this.waitsFor === 0) {
      this.abort(new GatewayError('upstream.timeout', { stage: 'idle', afterMs: idleMs }));
      return;
    }
    if (now < this.endsAt) return;
    if (this.settled) this.controller?.abort(new GatewayError('upstream.protocol', { fault: 'the stream goes on after its answer' }));
    this.abort(new GatewayError('upstream.timeout', { stage: 'total', afterMs: this.post.totalTimeoutMs }));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Anew, with another credential; to go on with a stream is to send nothing.
    if (this.controller !== undefined && this.resumption?.isUnderWay !== true) this.post.record?.retried();
    this.controller = controller;
    // Given up while it waited for a connection: not one byte of it may go out now.
    if (this.aborted !== undefined) controller.abort(this.aborted);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.status = status;
    this.lastByteAt = performance.now();
    const fault = faultOf(headers, this.post.resultBytesMax);
    if (fault !== undefined) return this.abort(fault);
    this.announcedBytes = Number(headers['content-length'] ?? 0);
    const session = headers['mcp-session-id'];
    if (typeof session === 'string' && /^[\x21-\x7e]{1,1024}$/.test(session)) this.sessionId = session;
    const type = headers['content-type'];
    if (typeof type === 'string' && type.startsWith('text/event-stream')) {
      const eventBytesMax = this.post.resultBytesMax + 1024;
      this.stream = createSseParser({ lineBytesMax: eventBytesMax, eventBytesMax }, this.post.progress?.find);
    } else if (this.resumption?.isUnderWay === true)
      this.abort(new GatewayError('upstream.protocol', { fault: 'the stream was not gone on with', status }));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    this.bytes += chunk.length;
    this.lastByteAt = performance.now();
    if (this.stream !== undefined) this.readEvents(this.stream, chunk);
    else if (this.bytes > this.post.resultBytesMax) this.abort(new GatewayError('upstream.too_large', { bytes: this.bytes }));
    else this.takePiece(chunk);
    if (this.bytes > LARGE_BYTES && this.post.share !== undefined) this.takeShare(this.post.share, chunk.length);
    if (this.waitsFor !== 0 && this.pausePlace.isBehind(chunk)) controller.pause();
  }

  private takePiece(chunk: Buffer): void {
    try {
      if (!this.body.take(chunk, this.status)) this.waitsFor |= READER;
    } catch (error) {
      this.abort(failureOf(error as Error, true));
    }
  }

  /** A large answer is read in turns with others, and held only where there is room for all of it. */
  private takeShare(share: AnswerShare, bytes: number): void {
    if (this.settled) return;
    if (!share.took(this, bytes)) this.waitsFor |= TURN;
    if ((this.stream ?? this.body).heldBytes <= LARGE_BYTES) return;
    const { resultBytesMax } = this.post;
    if (!share.claimRoom(this.announcedBytes > 0 ? this.announcedBytes : resultBytesMax, () => this.goOn(ROOM))) this.waitsFor |= ROOM;
  }

  onResponseEnd(): void {
    if (this.resumes()) return;
    running.remove(this);
    if (this.settled) return;
    if (this.stream !== undefined) {
      return this.fail(new GatewayError('upstream.protocol', { fault: 'the stream ended without an answer', status: this.status }));
    }
    try {
      this.succeed(this.body.end());
    } catch (error) {
      this.fail(failureOf(error as Error, true));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.controller === undefined && !this.isReconnected && !this.settled && isRefusedConnection(error)) {
      this.isReconnected = true;
      this.post.record?.retried();
      return void setTimeout(() => this.dispatch(), RECONNECT_MS);
    }
    if (this.resumes()) return;
    running.remove(this);
    this.fail(this.aborted ?? failureOf(error, this.controller !== undefined));
  }

  private readEvents(stream: SseParser<ProgressLine>, chunk: Buffer): void {
    const { bytes } = this;
    if (bytes > this.post.resultBytesMax * STREAM_ANSWERS_MAX) {
      return this.abort(new GatewayError('upstream.too_large', { fault: 'endless stream', bytes }));
    }
    for (const { data, known } of stream.push(chunk)) {
      if ((data === '' && known === undefined) || this.settled) continue;
      this.messages += 1;
      if (known !== undefined) this.waitsFor |= this.post.progress?.pass(known) === false ? READER : 0;
      else if (this.post.isAnswer(data)) this.succeed(data);
      else if (!this.post.onMessage(data)) this.waitsFor |= READER;
    }
    giveBack(chunk);
    if (stream.fault !== undefined) this.abort(new GatewayError(stream.fault === 'not_utf8' ? 'upstream.protocol' : 'upstream.too_large', { bytes }));
    if (this.messages >= MESSAGES_MAX) this.waitsFor |= PACE;
  }

  private resumes(): boolean {
    const next = this.settled || this.stream === undefined ? undefined : this.resumption?.next(this.stream);
    if (next === undefined) return false;
    this.lastByteAt = Number.POSITIVE_INFINITY;
    const { path, firstByteTimeoutMs, totalTimeoutMs } = this.post;
    const get = { path, method: 'GET' as const, headers: next.headers, headersTimeout: firstByteTimeoutMs, bodyTimeout: totalTimeoutMs };
    setTimeout(() => {
      if (this.settled) running.remove(this);
      else this.pool.dispatch(get, this);
    }, next.afterMs);
    return true;
  }

  /** What it waited for is there; it reads on unless it waits for something else. */
  private goOn(waitedFor: number): void {
    this.waitsFor &= ~waitedFor;
    if (this.waitsFor !== 0) return;
    this.lastByteAt = performance.now();
    this.controller?.resume();
  }

  private succeed(message: string | undefined): void {
    if (this.settled) return;
    this.settled = true;
    // A stream should end after its answer; one that does not is cut off, or it would keep its connection.
    this.endsAt = performance.now() + STREAM_TAIL_MS;
    this.resolve({ status: this.status, sessionId: this.sessionId, message, relayed: this.body.relayed });
  }

  private fail(error: GatewayError): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
  }
}
