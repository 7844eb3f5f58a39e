import { isJsonObject, META_SUBSCRIPTION_ID, ownMember, parseJson, type JsonObject } from '@portcullis/mcp';
import { readSpans, replaceSpans, textAt, type MessageSpans } from './message-spans.js';
import type { Incoming } from './incoming.js';
import type { Reply } from './reply.js';
import { RpcFault } from './rpc-fault.js';

/** The way to a child. */
export interface Wire {
  write(line: Buffer | string): void;
  pause(by: unknown): void;
  resume(by: unknown): void;
}

/** What a child says that is about no request of ours. */
export interface Unasked {
  /** It asks its client for something. */
  request(message: JsonObject, line: Buffer): void;
  notification(message: JsonObject, line: Buffer): void;
}

/** A request that a child works on. */
export interface Exchange {
  readonly id: number;
  /** The asking side's id and progress token, as JSON. */
  readonly idJson: string;
  readonly tokenJson: string | undefined;
  readonly method: string;
  readonly reply: Reply;
  /** What belongs together: cancels find their request among those of the same owner. */
  readonly owner: unknown;
}

/**
 * One child's requests and answers. Each request gets an id and a progress token that this child has never had, so that whatever comes late, or is
 * made up, belongs to nobody, and those of different agents are never taken for one another.
 */
export class Connection {
  private readonly inFlight = new Map<number, Exchange>();
  private count = 0;
  private ending: RpcFault | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly unasked: Unasked,
  ) {}

  get size(): number {
    return this.inFlight.size;
  }

  /** The newest request that still waits. */
  get newest(): Exchange | undefined {
    let newest: Exchange | undefined;
    for (const exchange of this.inFlight.values()) newest = exchange;
    return newest;
  }

  /** Sends a request; its reply is answered once, whatever happens. */
  send({ bytes, spans, method }: Incoming, reply: Reply, owner: unknown): Exchange | undefined {
    const { id: idSpan, token } = spans;
    if (idSpan === undefined) throw new TypeError('only a request has an answer');
    const id = (this.count += 1);
    const text = String(id);
    const exchange = { id, idJson: textAt(bytes, idSpan), tokenJson: token && textAt(bytes, token), method, reply, owner };
    if (this.ending !== undefined) {
      reply.fail(this.ending, exchange.idJson);
      return undefined;
    }
    this.inFlight.set(id, exchange);
    const changes = [{ at: idSpan, text }, ...(token === undefined ? [] : [{ at: token, text }])];
    this.write(
      replaceSpans(
        bytes,
        changes.toSorted((a, b) => a.at.start - b.at.start),
      ),
    );
    return exchange;
  }

  /** A request of the runner's own. Rejects with an RpcFault, or an error in the child's words. */
  call(method: string, params: JsonObject): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method, params }));
      const spans = readSpans(bytes);
      if (spans === undefined) return reject(new TypeError('not a message'));
      const reply: Reply = {
        answer: (message) => {
          const answer = objectIn(message);
          const result = answer && ownMember(answer, 'result');
          if (isJsonObject(result)) resolve(result);
          else reject(new Error(`The server refused ${method}: ${errorText(answer)}`));
        },
        notify: () => true,
        onceDrained: (then) => then(),
        fail: reject,
      };
      this.send({ kind: 'request', bytes, spans, method, params }, reply, this);
    });
  }

  /** Sends a message that has no answer, as it is: one line. */
  write(line: Buffer | string): void {
    this.wire.write(line);
  }

  /** Nobody waits for it any more; the child is told. */
  cancel({ id }: Exchange, reason = 'the caller is gone'): void {
    if (!this.inFlight.delete(id)) return;
    this.wire.resume(id);
    this.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } }));
  }

  /** Finds a request of this owner by the id that it has there. */
  find(owner: unknown, idJson: string): Exchange | undefined {
    for (const exchange of this.inFlight.values()) if (exchange.owner === owner && exchange.idJson === idJson) return exchange;
    return undefined;
  }

  /** Takes a line of the child; false: it was no message. */
  take(line: Buffer): boolean {
    const spans = readSpans(line);
    if (spans === undefined) return false;
    return spans.method === undefined ? this.takeAnswer(line, spans) : this.takeUnasked(line);
  }

  /** The child wrote a line that nobody read. With one request in flight it was the answer to that. */
  lost(): void {
    const { newest } = this;
    if (newest === undefined || this.inFlight.size > 1) return;
    this.inFlight.delete(newest.id);
    newest.reply.fail(new RpcFault('runner.too_large'), newest.idJson);
  }

  /** The child is gone: everything in flight, and all that comes, is answered with this. */
  end(fault: RpcFault): void {
    this.ending ??= fault;
    const waiting = [...this.inFlight.values()];
    this.inFlight.clear();
    for (const { reply, idJson } of waiting) reply.fail(fault, idJson);
  }

  private takeAnswer(line: Buffer, { id, result, error }: MessageSpans): boolean {
    if (id === undefined || (result === undefined) === (error === undefined)) return false;
    // Another form of the number is not what was sent, and an id that nobody has is of a request that was given up.
    const exchange = this.inFlight.get(Number(textAt(line, id)));
    if (exchange === undefined) return true;
    this.inFlight.delete(exchange.id);
    this.wire.resume(exchange.id);
    exchange.reply.answer(replaceSpans(line, [{ at: id, text: exchange.idJson }]));
    return true;
  }

  private takeUnasked(line: Buffer): boolean {
    const message = parsed(line);
    if (message === undefined) return false;
    if (Object.hasOwn(message, 'id')) {
      if (typeof ownMember(message, 'id') === 'object') return false; // nothing to answer by
      this.unasked.request(message, line);
      return true;
    }
    const params = ownMember(message, 'params');
    const found = isJsonObject(params) ? this.relate(message, params) : undefined;
    if (found === undefined) {
      // Progress of what nobody waits for any more concerns nobody.
      if (ownMember(message, 'method') !== 'notifications/progress') this.unasked.notification(message, line);
      return true;
    }
    const { exchange, related } = found;
    const text = jsonOf(related);
    if (text === undefined) return false;
    if (exchange.reply.notify(text)) return true;
    this.wire.pause(exchange.id);
    exchange.reply.onceDrained(() => this.wire.resume(exchange.id));
    return true;
  }

  /** The request that a notification is about, and the notification with that request's own names in it. */
  private relate(message: JsonObject, params: JsonObject): { exchange: Exchange; related: JsonObject } | undefined {
    if (ownMember(message, 'method') === 'notifications/progress') {
      const exchange = this.inFlight.get(Number(ownMember(params, 'progressToken')));
      if (exchange?.tokenJson === undefined) return undefined;
      return { exchange, related: { ...message, params: { ...params, progressToken: JSON.parse(exchange.tokenJson) as unknown } } };
    }
    const meta = ownMember(params, '_meta');
    if (!isJsonObject(meta) || !Object.hasOwn(meta, META_SUBSCRIPTION_ID)) return undefined;
    const exchange = this.inFlight.get(Number(meta[META_SUBSCRIPTION_ID]));
    if (exchange === undefined) return undefined;
    const _meta = { ...meta, [META_SUBSCRIPTION_ID]: JSON.parse(exchange.idJson) as unknown };
    return { exchange, related: { ...message, params: { ...params, _meta } } };
  }
}

/** A message with a method. */
function parsed(line: Buffer): JsonObject | undefined {
  const value = objectIn(line);
  return value !== undefined && typeof ownMember(value, 'method') === 'string' ? value : undefined;
}

/** By its outline a line may be JSON and yet be none. */
function objectIn(text: Buffer | string): JsonObject | undefined {
  try {
    const value: unknown = parseJson(text.toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what lies deeper than can be written: it can be read all the same. */
function jsonOf(message: JsonObject): string | undefined {
  try {
    return JSON.stringify(message);
  } catch {
    return undefined;
  }
}

function errorText(answer: JsonObject | undefined): string {
  const error = answer && ownMember(answer, 'error');
  const message = isJsonObject(error) ? ownMember(error, 'message') : undefined;
  return typeof message === 'string' ? message.slice(0, 200) : 'no result';
}
