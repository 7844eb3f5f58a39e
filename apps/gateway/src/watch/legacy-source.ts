import { GatewayError } from '@portcullis/contracts/errors';
import { isRequestId, ownMember, requestMessage, resultMessage, type Implementation, type JsonObject } from '@portcullis/mcp';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { answersTo } from '../upstream/answers/read-answer.js';
import { BASE_HEADERS, openLegacySession, sessionHeaders } from '../upstream/legacy-handshake.js';
import { postMessage } from '../upstream/post-message.js';
import { isSessionLost } from '../upstream/session-lost.js';
import type { UpstreamWay } from '../upstream/upstream-way.js';
import { readMessage, tellChange, UnsupportedSource, type ChangeEvents, type ChangeSource, type OpenSource } from './change-source.js';
import { EventStream } from './event-stream.js';

const POST_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
let posted = 0;

/** A server of the legacy era: one session of the node's own, its GET stream, and `resources/subscribe` for each resource that is wanted. */
export class LegacySource implements ChangeSource {
  private session: UpstreamSession | undefined;
  private subscribed: ReadonlySet<string> = new Set();
  private lastEventId: string | undefined;

  constructor(
    private readonly upstream: UpstreamWay,
    private readonly clientInfo: Implementation,
    private readonly events: ChangeEvents,
  ) {}

  async open(uris: ReadonlySet<string>): Promise<OpenSource> {
    const isResumed = this.session !== undefined;
    try {
      return await this.listen(uris);
    } catch (error) {
      this.close();
      // A session that was there before may be gone for good reason: once more in a new one.
      if (isResumed) return this.listen(uris);
      throw error;
    }
  }

  /** Ends the session; that it could not be told is no matter. */
  close(): void {
    const { session } = this;
    this.forgetSession();
    if (session?.id === undefined) return;
    void this.upstream.pool
      .request({ path: this.upstream.path, method: 'DELETE', headers: sessionHeaders(session), headersTimeout: POST_MS_MAX })
      .then(({ body }) => body.dump())
      .catch(() => undefined);
  }

  private async listen(uris: ReadonlySet<string>): Promise<OpenSource> {
    const session = (this.session ??= await openLegacySession(this.upstream, { clientInfo: this.clientInfo, capabilities: {} }, nextId()));
    const resume = this.lastEventId === undefined ? [] : ['last-event-id', this.lastEventId];
    const stream = new EventStream(this.upstream.pool, {
      method: 'GET',
      path: this.upstream.path,
      headers: ['accept', 'text/event-stream', ...sessionHeaders(session), ...resume],
      body: null,
      onMessage: (text) => this.take(text),
    });
    const status = await stream.opened;
    if (status === 405 || status === 501) throw new UnsupportedSource('The server offers no stream');
    if (status !== 200) throw new Error(`The stream was answered with ${String(status)}`);
    void stream.ended.then(() => {
      this.lastEventId = stream.lastEventId;
    });
    const adapt = (wanted: ReadonlySet<string>): Promise<void> => this.adapt(session, wanted);
    try {
      await adapt(uris);
    } catch (error) {
      stream.close();
      throw error;
    }
    return { ended: stream.ended, adapt, close: () => stream.close() };
  }

  private async adapt(session: UpstreamSession, wanted: ReadonlySet<string>): Promise<void> {
    const { subscribed } = this;
    this.subscribed = new Set(wanted);
    for (const uri of wanted) if (!subscribed.has(uri)) await this.ask(session, 'resources/subscribe', { uri });
    for (const uri of subscribed) if (!wanted.has(uri)) await this.ask(session, 'resources/unsubscribe', { uri });
  }

  /** A server may refuse a resource, which is its own affair; a lost session is thrown. */
  private async ask(session: UpstreamSession, method: string, params: JsonObject): Promise<void> {
    const id = nextId();
    const answer = await this.post(session, requestMessage(id, method, params), id);
    const { status } = answer;
    if (status >= 500 || isSessionLost(answer)) throw new GatewayError('upstream.protocol', { status, method });
  }

  private take(text: string): void {
    const message = readMessage(text);
    if (message === undefined) return;
    const id = ownMember(message, 'id');
    if (id === undefined) return tellChange(message, this.events);
    // Servers ask whether somebody is there, and hang up on silence. We declared nothing else that they could ask for.
    if (ownMember(message, 'method') !== 'ping' || !isRequestId(id) || this.session === undefined) return;
    this.post(this.session, resultMessage(id, '{}'), '').catch(() => undefined);
  }

  private post(session: UpstreamSession, body: string, id: string): ReturnType<typeof postMessage>['answer'] {
    return postMessage(this.upstream.pool, {
      path: this.upstream.path,
      headers: [...BASE_HEADERS, ...sessionHeaders(session)],
      body,
      firstByteTimeoutMs: POST_MS_MAX,
      totalTimeoutMs: POST_MS_MAX,
      resultBytesMax: ANSWER_BYTES_MAX,
      isAnswer: (message) => answersTo(message, id),
      onMessage: () => true,
    }).answer;
  }

  private forgetSession(): void {
    this.session = undefined;
    this.lastEventId = undefined;
    this.subscribed = new Set();
  }
}

function nextId(): string {
  posted += 1;
  return `watch-${posted.toString(36)}`;
}
