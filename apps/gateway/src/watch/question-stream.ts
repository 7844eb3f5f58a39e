import { setTimeout as pause } from 'node:timers/promises';
import { ownMember, type Question } from '@portcullis/mcp';
import type { QuestionAnswer } from '../questions/ask-agent.js';
import type { Questioning } from '../questions/put-question.js';
import type { IndexedSessionStore } from '../session/session-store.js';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { sessionHeaders } from '../upstream/legacy-handshake.js';
import { ServerRequests } from '../upstream/server-requests.js';
import type { UpstreamWay } from '../upstream/upstream-way.js';
import { readMessage } from './change-source.js';
import { EventStream } from './event-stream.js';

interface QuestionStreamOptions {
  readonly key: string;
  readonly session: UpstreamSession;
  readonly upstream: UpstreamWay;
  readonly store: IndexedSessionStore;
  /** This node's address, sealed for the others. */
  readonly place: string;
  readonly put: (question: Question, withdrawn: AbortSignal) => Promise<QuestionAnswer>;
  readonly tell: (message: string) => void;
  /** The server answered that it offers no stream. */
  readonly onUnsupported: () => void;
  readonly onClosed: () => void;
}

/** How long the stream is kept when no call of its session runs. */
const LINGER_MS = 30_000;
/** How long a node that says nothing is taken to hold the stream. */
const CLAIM_MS = 10_000;
const CLAIM_EVERY_MS = 3000;
/** How long a node is taken to have calls of the session after it said so. */
const PLACES_MS = 60_000;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5000;

/** One session's stream at a legacy server. One node holds it open; others whose calls belong to the session say so, and take over when it goes. */
export class QuestionStream {
  private readonly calls = new Set<Questioning>();
  private last: Questioning | undefined;
  private readonly readiness = Promise.withResolvers<void>();
  private ready = false;
  private readonly closing = new AbortController();
  private linger: NodeJS.Timeout | undefined;
  private holds = false;
  private told = Number.NEGATIVE_INFINITY;
  private lastEventId: string | undefined;

  constructor(private readonly options: QuestionStreamOptions) {
    void this.run();
  }

  get isReady(): boolean {
    return this.ready;
  }

  /** Of several that run together the newest: the server does not say to which its question belongs, and all are of one agent. */
  get newestCall(): Questioning | undefined {
    return [...this.calls].at(-1);
  }

  get lastCall(): Questioning {
    if (this.last === undefined) throw new Error('No call has entered yet');
    return this.last;
  }

  /** Another call of the session runs here, until the returned function is called. */
  enter(questioning: Questioning): () => void {
    clearTimeout(this.linger);
    this.linger = undefined;
    this.last = questioning;
    this.calls.add(questioning);
    if (this.ready && !this.holds) void this.sayThatCallsAreHere();
    return () => {
      this.calls.delete(questioning);
      if (this.calls.size === 0) this.lingerOn();
    };
  }

  /** False where it took longer. */
  async readyWithin(ms: number): Promise<boolean> {
    const timer = new AbortController();
    const late = pause(ms, false, { signal: timer.signal, ref: false }).catch(() => false);
    const isReady = await Promise.race([this.readiness.promise.then(() => true), late]);
    timer.abort();
    return isReady;
  }

  /** The nodes that have calls of this session, sealed; none while Redis is away. */
  places(): Promise<string[]> {
    return this.options.store.members(this.placesKey).catch(() => []);
  }

  close(): void {
    if (this.closing.signal.aborted) return;
    clearTimeout(this.linger);
    this.closing.abort();
    this.options.onClosed();
    this.nowReady();
  }

  private get claimKey(): string {
    return `portcullis:question-stream:${this.options.key}`;
  }

  private get placesKey(): string {
    return `portcullis:question-stream-places:${this.options.key}`;
  }

  private lingerOn(): void {
    this.linger = setTimeout(() => void this.endUnlessWanted(), LINGER_MS).unref();
  }

  /** Another node may have calls whose questions come here. */
  private async endUnlessWanted(): Promise<void> {
    const isWanted = this.holds && (await this.places()).some((place) => place !== this.options.place);
    if (this.calls.size > 0) return;
    if (isWanted) this.lingerOn();
    else this.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    let failures = 0;
    while (!signal.aborted) {
      this.holds = await this.claim();
      if (this.holds) {
        const lastedMs = await this.listen();
        failures = lastedMs > RETRY_MS_MAX ? 0 : failures + 1;
      } else await this.sayThatCallsAreHere();
      this.nowReady();
      const waitMs = this.holds ? Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures) : CLAIM_EVERY_MS;
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    if (this.holds) await this.options.store.delete(this.claimKey).catch(() => undefined);
  }

  /** While Redis is away each node listens for itself; a server that allows one stream refuses the second. */
  private async claim(): Promise<boolean> {
    const { store, place } = this.options;
    if (this.holds) {
      await store.set(this.claimKey, place, CLAIM_MS).catch(() => undefined);
      return true;
    }
    return store.setIfAbsent(this.claimKey, place, CLAIM_MS).catch(() => true);
  }

  private async sayThatCallsAreHere(): Promise<void> {
    const now = performance.now();
    if (this.calls.size === 0 || now - this.told < PLACES_MS / 3) return;
    this.told = now;
    await this.options.store.addMember(this.placesKey, this.options.place, PLACES_MS).catch(() => undefined);
  }

  /** Reads the stream until it ends; gives how long it lasted. */
  private async listen(): Promise<number> {
    const { upstream, session, put, tell } = this.options;
    const requests = new ServerRequests({ upstream, session, put, onFailure: () => undefined });
    const resume = this.lastEventId === undefined ? [] : ['last-event-id', this.lastEventId];
    const stream = new EventStream(upstream.streams, {
      method: 'GET',
      path: upstream.path,
      headers: ['accept', 'text/event-stream', ...sessionHeaders(session), ...resume],
      body: null,
      onMessage: (text) => {
        const message = readMessage(text);
        if (message === undefined) return;
        if (ownMember(message, 'method') === 'notifications/elicitation/complete') tell(JSON.stringify(message));
        else if (Object.hasOwn(message, 'method')) requests.take(message);
      },
    });
    const stop = (): void => stream.close();
    this.closing.signal.addEventListener('abort', stop, { once: true });
    const claiming = setInterval(() => void this.claim(), CLAIM_EVERY_MS).unref();
    const since = performance.now();
    try {
      if (this.closing.signal.aborted) stop();
      this.takeStatus(await stream.opened);
      this.nowReady();
      await stream.ended;
    } catch {
      // Not opened: tried again while calls run.
    } finally {
      clearInterval(claiming);
      this.closing.signal.removeEventListener('abort', stop);
      requests.close();
      this.lastEventId = stream.lastEventId ?? this.lastEventId;
    }
    const lastedMs = performance.now() - since;
    await pause(Math.min(stream.retryMs ?? 0, CLAIM_EVERY_MS), undefined, { signal: this.closing.signal, ref: false }).catch(() => undefined);
    return lastedMs;
  }

  private takeStatus(status: number): void {
    if (status === 200) return;
    const isUnsupported = status === 0 || status === 405 || status === 501;
    if (isUnsupported) this.options.onUnsupported();
    // 409: the server keeps one stream for a session, and has not noticed yet that the last one is gone.
    if (isUnsupported || (status < 500 && status !== 409 && status !== 429)) this.close();
    throw new Error(`The stream was answered with ${String(status)}`);
  }

  private nowReady(): void {
    this.ready = true;
    this.readiness.resolve();
  }
}
