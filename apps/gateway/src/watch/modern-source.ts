import { setTimeout as pause } from 'node:timers/promises';
import { ownMember, requestMessage, upstreamHeaders, upstreamMeta, type Implementation } from '@portcullis/mcp';
import { BASE_HEADERS } from '../upstream/legacy-handshake.js';
import type { UpstreamWay } from '../upstream/upstream-way.js';
import { readMessage, tellChange, UnsupportedSource, type ChangeEvents, type ChangeSource, type OpenSource } from './change-source.js';
import { EventStream } from './event-stream.js';

const METHOD = 'subscriptions/listen';
const ACKNOWLEDGED_MS_MAX = 30_000;
let opened = 0;

/** A server of the modern era: one `subscriptions/listen` for everything that is wanted of it. */
export class ModernSource implements ChangeSource {
  constructor(
    private readonly upstream: UpstreamWay,
    private readonly clientInfo: Implementation,
    private readonly events: ChangeEvents,
  ) {}

  async open(uris: ReadonlySet<string>): Promise<OpenSource> {
    opened += 1;
    const id = `watch-${opened.toString(36)}`;
    const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    const notifications = uris.size === 0 ? lists : { ...lists, resourceSubscriptions: [...uris] };
    const params = { notifications, _meta: upstreamMeta(undefined, { clientInfo: this.clientInfo, clientCapabilities: {} }) };
    const acknowledged = Promise.withResolvers<void>();
    const stream = new EventStream(this.upstream.pool, {
      method: 'POST',
      path: this.upstream.path,
      headers: [...BASE_HEADERS, ...upstreamHeaders(METHOD, params).flat()],
      body: requestMessage(id, METHOD, params),
      onMessage: (text) => {
        const message = readMessage(text);
        if (message === undefined) return;
        if (ownMember(message, 'id') === id) stream.close();
        else if (ownMember(message, 'method') === 'notifications/subscriptions/acknowledged') acknowledged.resolve();
        else tellChange(message, this.events);
      },
    });
    await agreed(stream, acknowledged.promise);
    return { ended: stream.ended, adapt: undefined, close: () => stream.close() };
  }

  close(): void {
    // Hanging up is all there is to say.
  }
}

async function agreed(stream: EventStream, acknowledged: Promise<void>): Promise<void> {
  const status = await stream.opened;
  if (status === 0 || (status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429)) {
    throw new UnsupportedSource(`${METHOD} is not served (${String(status)})`);
  }
  if (status !== 200) throw new Error(`${METHOD} was answered with ${String(status)}`);
  const deadline = new AbortController();
  const late = pause(ACKNOWLEDGED_MS_MAX, 'late' as const, { signal: deadline.signal, ref: false }).catch(() => 'late' as const);
  const first = await Promise.race([acknowledged.then(() => 'ready' as const), stream.ended.then(() => 'ended' as const), late]);
  deadline.abort();
  if (first === 'ready') return;
  stream.close();
  throw new Error(`${METHOD} was not acknowledged (${first})`);
}
