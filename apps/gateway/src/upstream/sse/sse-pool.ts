import { randomBytes } from 'node:crypto';
import { isJsonObject, isRequestId, ownMember, type RequestId } from '@portcullis/mcp';
import { Dispatcher } from 'undici';
import { SseConnection, type SseEndpoint } from './sse-connection.js';
import { SseExchange } from './sse-exchange.js';

type ClosableDispatcher = Dispatcher & { close(): Promise<void> };

const IDLE_MS_MAX = 300_000;
const SWEEP_MS = 30_000;
const NOT_FOUND = '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}';

/**
 * A server of 2024-11-05 as one of Streamable HTTP: `initialize` opens a connection and answers with its name as session id, what names it goes
 * over that connection, and one that is gone answers 404, as a lost session does. Connections belong to this node; another one that is given the
 * id opens its own.
 */
export class SsePool extends Dispatcher {
  private readonly connections = new Map<string, SseConnection>();
  private readonly sweep: NodeJS.Timeout;

  constructor(
    private readonly endpoint: Omit<SseEndpoint, 'streams' | 'posts'>,
    private readonly ways: { streams: ClosableDispatcher; posts: ClosableDispatcher },
  ) {
    super();
    this.sweep = setInterval(() => this.closeIdle(performance.now()), SWEEP_MS).unref();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { session: named, headers } = withoutSession(options.headers);
    const body = typeof options.body === 'string' ? options.body : '';
    const { id, method } = options.method === 'POST' ? readMessage(body) : {};
    const firstByteTimeoutMs = options.headersTimeout ?? 0;
    const session = method === 'initialize' ? newSession() : (named ?? '');
    const connection = method === 'initialize' ? this.open(session, headers, firstByteTimeoutMs) : this.connections.get(session);
    const exchange = new SseExchange(handler, {
      id,
      firstByteTimeoutMs,
      queueBytesMax: this.endpoint.eventBytesMax * 2,
      session,
      onEnd: (ended) => connection?.forget(ended),
    });
    if (connection === undefined) exchange.answer(404, NOT_FOUND);
    else if (options.method === 'POST') void connection.send(exchange, { headers, body, firstByteTimeoutMs });
    else if (options.method === 'GET') connection.listen(exchange);
    else {
      exchange.answer(200, '');
      connection.close();
    }
    return true;
  }

  override async close(): Promise<void> {
    this.closeAll();
    await Promise.allSettled([this.ways.streams.close(), this.ways.posts.close()]);
  }

  override async destroy(): Promise<void> {
    this.closeAll();
    await Promise.allSettled([this.ways.streams.destroy(), this.ways.posts.destroy()]);
  }

  private open(session: string, headers: string[], firstByteTimeoutMs: number): SseConnection {
    const opening = { headers: streamHeaders(headers), firstByteTimeoutMs };
    const connection = new SseConnection({ ...this.endpoint, ...this.ways }, opening, () => this.connections.delete(session));
    this.connections.set(session, connection);
    return connection;
  }

  private closeIdle(now: number): void {
    for (const connection of this.connections.values()) if (connection.isIdle && now - connection.lastUsedAt > IDLE_MS_MAX) connection.close();
  }

  private closeAll(): void {
    clearInterval(this.sweep);
    for (const connection of this.connections.values()) connection.close();
  }
}

const newSession = (): string => `sse-${randomBytes(16).toString('base64url')}`;

function readMessage(body: string): { id?: RequestId; method?: unknown } {
  const message: unknown = JSON.parse(body);
  if (!isJsonObject(message)) return {};
  const id = ownMember(message, 'id');
  const method = ownMember(message, 'method');
  return isRequestId(id) && method !== undefined ? { id, method } : { method };
}

/** Our session ids mean nothing to such a server. */
function withoutSession(given: Dispatcher.DispatchOptions['headers']): { session: string | undefined; headers: string[] } {
  const headers: string[] = [];
  let session: string | undefined;
  const flat: readonly unknown[] = Array.isArray(given) ? given : [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name, value] = [String(flat[at]), String(flat[at + 1])];
    if (name === 'mcp-session-id') session = value;
    else headers.push(name, value);
  }
  return { session, headers };
}

function streamHeaders(headers: readonly string[]): string[] {
  const kept = headers.filter((_, at) => !['accept', 'content-type'].includes(headers[at - (at % 2)] ?? ''));
  return [...kept, 'accept', 'text/event-stream'];
}
