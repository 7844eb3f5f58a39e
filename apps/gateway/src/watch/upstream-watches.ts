import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { isJsonObject, ownMember, type Implementation } from '@portcullis/mcp';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { Interest } from '../streams/change-streams.js';
import type { UpstreamWay } from '../upstream/upstream-way.js';
import { isReachedAlike } from '../upstream/upstreams.js';
import type { ChangeEvents } from './change-source.js';
import { LegacySource } from './legacy-source.js';
import { ModernSource } from './modern-source.js';
import { ServerWatch } from './server-watch.js';

interface WatchParts {
  readonly clientInfo: Implementation;
  readonly policy: { current(): PolicySnapshot | undefined };
  /** Connections of the watch's own, so that a stream takes none from calls. */
  readonly openApart: (server: ServerEntry) => UpstreamWay;
  readonly onLists: (serverId: string) => void;
  readonly onUpdated: (serverId: string, uri: string) => void;
  /** Told when a server was out of hearing and is back. */
  readonly onReopened: (serverId: string) => void;
  /** How long a server is still listened to when nobody wants it any more. */
  readonly lingerMs?: number;
}

interface Wanted {
  audiences: number;
  readonly uris: Set<string>;
  watch: ServerWatch | undefined;
  /** What the watch was made for. */
  server: ServerEntry | undefined;
  linger: NodeJS.Timeout | undefined;
}

const LINGER_MS = 30_000;
const OPENING_MAX = 16;
const WATCHES_MAX = 2000;

/**
 * The servers this node listens to: one watch each, however many agents want to hear of it, and only of servers that say they tell of changes.
 */
export class UpstreamWatches implements Interest {
  private readonly wanted = new Map<string, Wanted>();
  private readonly waiting: (() => void)[] = [];
  private opening = 0;
  private watching = 0;

  constructor(private readonly parts: WatchParts) {}

  /** Servers listened to now. */
  get size(): number {
    return this.watching;
  }

  wantServer(serverId: string, isWanted: boolean): void {
    const wanted = this.of(serverId);
    wanted.audiences += isWanted ? 1 : -1;
    this.settle(serverId, wanted);
  }

  wantResource(serverId: string, uri: string, isWanted: boolean): void {
    const wanted = this.of(serverId);
    if (isWanted) wanted.uris.add(uri);
    else wanted.uris.delete(uri);
    this.settle(serverId, wanted);
    wanted.watch?.want(new Set(wanted.uris));
  }

  /** A server that moved, changed era or says otherwise what it tells of is listened to anew. */
  policyApplied({ changed }: PolicySnapshot): void {
    for (const serverId of changed.serverIds) {
      const wanted = this.wanted.get(serverId);
      if (wanted !== undefined) this.settle(serverId, wanted);
    }
  }

  close(): void {
    for (const { watch, linger } of this.wanted.values()) {
      clearTimeout(linger);
      watch?.close();
    }
    this.wanted.clear();
  }

  private of(serverId: string): Wanted {
    const known = this.wanted.get(serverId);
    if (known !== undefined) return known;
    const wanted: Wanted = { audiences: 0, uris: new Set(), watch: undefined, server: undefined, linger: undefined };
    this.wanted.set(serverId, wanted);
    return wanted;
  }

  private settle(serverId: string, wanted: Wanted): void {
    const isWanted = wanted.audiences > 0 || wanted.uris.size > 0;
    const server = this.parts.policy.current()?.servers.get(serverId);
    if (wanted.watch !== undefined && !isSame(wanted.server, server)) this.end(wanted);
    if (isWanted) {
      clearTimeout(wanted.linger);
      wanted.linger = undefined;
      if (wanted.watch === undefined && server !== undefined && tellsOfChanges(server)) this.begin(server, wanted);
    } else if (wanted.watch === undefined) this.wanted.delete(serverId);
    else wanted.linger ??= setTimeout(() => this.forget(serverId, wanted), this.parts.lingerMs ?? LINGER_MS).unref();
  }

  private begin(server: ServerEntry, wanted: Wanted): void {
    if (this.watching >= WATCHES_MAX) return;
    const { clientInfo, openApart, onLists, onUpdated, onReopened } = this.parts;
    let upstream: UpstreamWay;
    try {
      upstream = openApart(server);
    } catch {
      return; // an address that may not be connected to; calls say so
    }
    const events: ChangeEvents = { onLists: () => onLists(server.id), onUpdated: (uri) => onUpdated(server.id, uri) };
    const source = server.era === 'modern' ? new ModernSource(upstream, clientInfo, events) : new LegacySource(upstream, clientInfo, events);
    this.watching += 1;
    wanted.server = server;
    wanted.watch = new ServerWatch({
      source,
      inTurn: (work) => this.inTurn(work),
      onReopened: () => onReopened(server.id),
      onClosed: () => {
        this.watching -= 1;
        void upstream.pool.close();
      },
    });
    if (wanted.uris.size > 0) wanted.watch.want(new Set(wanted.uris));
  }

  private forget(serverId: string, wanted: Wanted): void {
    this.end(wanted);
    if (this.wanted.get(serverId) === wanted) this.wanted.delete(serverId);
  }

  private end(wanted: Wanted): void {
    wanted.watch?.close();
    wanted.watch = undefined;
    wanted.server = undefined;
  }

  private async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.opening >= OPENING_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.opening += 1;
    try {
      return await work();
    } finally {
      this.opening -= 1;
      this.waiting.shift()?.();
    }
  }
}

function isSame(one: ServerEntry | undefined, other: ServerEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.credentials !== other.credentials && namesOf(one) !== namesOf(other)) return false;
  // A watch keeps the connections, and the word of a place, that it began with.
  if (!isReachedAlike(one, other) || one.place?.version !== other.place?.version) return false;
  return one.era === other.era && one.enabled === other.enabled && one.capabilitiesJson === other.capabilitiesJson;
}

const namesOf = ({ credentials = [] }: ServerEntry): string => credentials.map(({ id, version }) => `${id}.${version}`).join();

/** Whether the server has declared any way of saying that something changed. */
function tellsOfChanges({ enabled, capabilitiesJson }: ServerEntry): boolean {
  if (!enabled) return false;
  let capabilities: unknown;
  try {
    capabilities = JSON.parse(capabilitiesJson);
  } catch {
    return false;
  }
  if (!isJsonObject(capabilities)) return false;
  return ['tools', 'prompts', 'resources'].some((kind) => {
    const of = ownMember(capabilities, kind);
    return isJsonObject(of) && (ownMember(of, 'listChanged') === true || ownMember(of, 'subscribe') === true);
  });
}
