import { ownMember, type JsonObject } from '@portcullis/mcp';
import type { LogTail } from '../spawn/log-tail.js';
import type { Instance } from '../supervise/instance.js';
import type { Unasked } from './connection.js';
import type { Incoming } from './incoming.js';
import type { LegacySession, LegacySessions } from './legacy-session.js';
import { textAt } from './message-spans.js';
import { errorJson } from './rpc-fault.js';

const LIST_CHANGED = /^notifications\/(?:tools|prompts|resources)\/list_changed$/;
const LOG_LINE_CHARS_MAX = 2000;
/** Questions of a child that wait for an answer in one session, and how long their ids may be. */
const QUESTIONS_MAX = 1000;
const ID_CHARS_MAX = 1000;

/** Who hears what a child of the older era says on its own. */
export class LegacyVoice {
  constructor(
    private readonly sessions: LegacySessions,
    private readonly log: LogTail,
    private readonly isShared: boolean,
  ) {}

  /** What the runner answers itself for a shared child: what would change it for others, or tell of them. */
  answer(session: LegacySession, { method, params, bytes, spans }: Incoming): string | undefined {
    if (!this.isShared || spans.id === undefined) return undefined;
    const idJson = textAt(bytes, spans.id);
    const done = `{"jsonrpc":"2.0","id":${idJson},"result":{}}`;
    if (method === 'logging/setLevel') return done;
    if (method === 'tasks/list') return errorJson(idJson, { code: -32601, message: 'Method not found' });
    const uri = params && ownMember(params, 'uri');
    if (method !== 'resources/unsubscribe' || typeof uri !== 'string') return undefined;
    session.subscriptions.delete(uri);
    return this.isWanted(uri) ? done : undefined;
  }

  isWanted(uri: string): boolean {
    for (const { subscriptions } of this.sessions.all()) if (subscriptions.has(uri)) return true;
    return false;
  }

  /** A child that was started again has forgotten what was subscribed to. */
  resubscribe(instance: Instance): void {
    const wanted = new Set<string>();
    for (const session of this.sessions.all()) {
      if (session.subscriptions.size > 0) instance.holders.add(session);
      for (const uri of session.subscriptions) wanted.add(uri);
    }
    for (const uri of wanted) void instance.connection.call('resources/subscribe', { uri }).catch(() => undefined);
  }

  unasked(instance: Instance, key: string): Unasked {
    return this.isShared ? this.ofShared(instance) : this.ofOne(instance, key);
  }

  /** Nobody can be asked here, and nothing is told to one agent that may be about another. */
  private ofShared(instance: Instance): Unasked {
    return {
      request: (message) => refuse(instance, message),
      notification: (message, line) => {
        const method = String(ownMember(message, 'method'));
        if (LIST_CHANGED.test(method)) this.tell(line, () => true);
        else if (method === 'notifications/resources/updated') {
          const params = ownMember(message, 'params') as JsonObject | undefined;
          const uri = params?.['uri'];
          this.tell(line, ({ subscriptions }) => typeof uri === 'string' && subscriptions.has(uri));
        } else this.note(method, line);
      },
    };
  }

  /** All of it is for the one agent whose child it is: on the answer of its newest request, else on its stream. */
  private ofOne(instance: Instance, key: string): Unasked {
    const put = (line: Buffer): LegacySession | undefined => {
      const { newest } = instance.connection;
      const copy = line.toString();
      if (newest !== undefined && newest.owner !== instance.connection) {
        instance.passOn(newest.reply, copy);
        return newest.owner as LegacySession;
      }
      for (const session of this.sessions.all()) {
        if (session.key !== key || session.stream === undefined) continue;
        instance.passOn(session.stream, copy);
        return session;
      }
      return undefined;
    };
    return {
      request: (message, line) => {
        const idJson = JSON.stringify(ownMember(message, 'id'));
        const session = idJson.length > ID_CHARS_MAX ? undefined : put(line);
        if (session === undefined) return refuse(instance, message);
        // A child that asks and asks makes only its own oldest questions be forgotten.
        const [oldest] = session.questions.size >= QUESTIONS_MAX ? session.questions : [];
        if (oldest !== undefined) session.questions.delete(oldest);
        session.questions.add(idJson);
      },
      notification: (message, line) => {
        const method = String(ownMember(message, 'method'));
        if (LIST_CHANGED.test(method) || method === 'notifications/resources/updated') this.tell(line, (session) => session.key === key);
        else if (put(line) === undefined) this.note(method, line);
      },
    };
  }

  /** Each on its own stream; one that reads too slowly misses it rather than holding the others up. */
  private tell(line: Buffer, isFor: (session: LegacySession) => boolean): void {
    const text = line.toString();
    for (const session of this.sessions.all()) {
      if (!isFor(session) || session.stream === undefined) continue;
      if (!session.stream.notify(text)) session.stream.end();
    }
  }

  private note(method: string, line: Buffer): void {
    this.log.note(`${method} ${line.toString('utf8', 0, LOG_LINE_CHARS_MAX)}`);
  }
}

function refuse({ connection }: Instance, message: JsonObject): void {
  const idJson = JSON.stringify(ownMember(message, 'id'));
  const isPing = ownMember(message, 'method') === 'ping';
  connection.write(
    isPing ? `{"jsonrpc":"2.0","id":${idJson},"result":{}}` : errorJson(idJson, { code: -32601, message: 'Nobody can be asked here' }),
  );
}
