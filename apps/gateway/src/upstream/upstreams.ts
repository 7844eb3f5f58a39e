import { GatewayError } from '@portcullis/contracts/errors';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import type { TlsIdentity } from '@portcullis/egress';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { Caller } from '../caller/authenticate.js';
import { AnswerShare, LargeAnswers } from './answers/large-answers.js';
import { OversizedAnswers } from './answers/oversized-answers.js';
import { Breaker, type BreakerClock } from './breaker.js';
import type { PlaceEntry } from './credentials/place-credentials.js';
import { SignedInWay } from './credentials/signed-in-way.js';
import type { UpstreamCredential } from './credentials/upstream-credential.js';
import type { UpstreamCredentials } from './credentials/upstream-credentials.js';
import { SsePool } from './sse/sse-pool.js';
import { Upstream } from './upstream.js';
import type { ClosablePool, UpstreamWay } from './upstream-way.js';

/** `place` is given where a runner is at that origin. */
type PoolFor = (
  origin: string,
  options: { connections: number; keepAliveTimeout: number; tls?: TlsIdentity | undefined },
  place?: PlaceEntry,
) => ClosablePool;

const CONNECTIONS_MAX = 256;
const APART_CONNECTIONS_MAX = 4;
const KEEP_ALIVE_MS = 60_000;
/** Streams that stay open at one server, one for each session of an agent. */
const STREAMS_MAX = 1024;

/** All upstreams of this node, opened on first use. */
export class Upstreams {
  private readonly byServer = new Map<string, Upstream>();
  private readonly large = new LargeAnswers();
  private readonly signedIn = new WeakMap<UpstreamCredential, SignedInWay>();

  constructor(
    private readonly poolFor: PoolFor,
    private readonly onSuspended: (server: ServerEntry) => void = () => undefined,
    private readonly clock: BreakerClock = { now: () => performance.now(), random: () => Math.random() },
    private readonly credentials?: Pick<UpstreamCredentials, 'of' | 'keepOnly' | 'tlsOf'>,
  ) {}

  /** How many servers are suspended now. */
  get suspended(): number {
    return [...this.byServer.values()].filter(({ breaker }) => breaker.isSuspended).length;
  }

  /** How many calls each server has had here, over connections that are open now. */
  *usage(): Generator<readonly [serverId: string, calls: number]> {
    for (const [serverId, { calls }] of this.byServer) yield [serverId, calls];
  }

  /** The upstream of a server as this snapshot describes it; one that is reached otherwise gets new connections and the old ones run out. */
  of(server: ServerEntry): Upstream {
    const known = this.byServer.get(server.id);
    if (known !== undefined && (known.address === server || isReachedAlike(known.address, server))) return known;
    if (known !== undefined) void known.close();
    const opened = this.open(server, Math.min(server.limits.concurrency, CONNECTIONS_MAX));
    this.byServer.set(server.id, opened);
    return opened;
  }

  /** An upstream as it is for this caller: with what its server is called with, where it is called with anything. Unsaid: for nobody in particular. */
  wayOf(upstream: Upstream, server: ServerEntry, caller?: Caller): UpstreamWay {
    const shared = this.credentials?.of(server, caller?.agent.id);
    if (shared === undefined) return upstream;
    const credential = caller === undefined ? shared : (shared.forCaller?.(caller) ?? shared);
    const known = this.signedIn.get(credential);
    if (known?.upstream === upstream) return known;
    const way = new SignedInWay(upstream, credential);
    this.signedIn.set(credential, way);
    return way;
  }

  /** What a call's answer will have of the node's time and memory, should it be large. */
  shareOf(agentId: string, serverId: string): AnswerShare {
    return new AnswerShare(this.large, agentId, serverId);
  }

  /** Connections to a server apart from those for calls, which whoever asked for them closes. Throws where `of` would. */
  openApart(server: ServerEntry): UpstreamWay {
    const upstream = this.open(server, APART_CONNECTIONS_MAX);
    const credential = this.credentials?.of(server, undefined);
    return credential === undefined ? upstream : new SignedInWay(upstream, credential);
  }

  /** Closes what belongs to servers that are no longer registered. */
  keepOnly(servers: PolicySnapshot['servers']): void {
    this.credentials?.keepOnly(servers);
    for (const [serverId, upstream] of this.byServer) {
      if (servers.has(serverId)) continue;
      this.byServer.delete(serverId);
      void upstream.close();
    }
  }

  async close(): Promise<void> {
    const all = [...this.byServer.values()];
    this.byServer.clear();
    await Promise.allSettled(all.map((upstream) => upstream.close()));
  }

  private open(server: ServerEntry, connections: number): Upstream {
    const url = parse(server);
    const tls = this.credentials?.tlsOf(server);
    const options = { keepAliveTimeout: KEEP_ALIVE_MS, tls };
    const open = (most: number): ClosablePool => this.poolFor(url.origin, { connections: most, ...options }, server.place);
    let pool: ClosablePool;
    try {
      pool = server.transport === 'sse' ? sseOver(url, server, { streams: open(STREAMS_MAX), posts: open(connections) }) : open(connections);
    } catch (error) {
      throw new GatewayError('upstream.unreachable', { serverId: server.id }, { cause: error });
    }
    return new Upstream(
      server,
      url.pathname + url.search,
      { pool, openStreams: () => open(STREAMS_MAX) },
      { breaker: new Breaker(this.clock, () => this.onSuspended(server)), oversized: new OversizedAnswers(() => this.clock.now()) },
    );
  }
}

/** Whether connections to a server as it was described lead to it as it is described now. */
export const isReachedAlike = (known: Upstream['address'], { url, transport, tls, place }: Upstream['address']): boolean =>
  known.url === url &&
  known.transport === transport &&
  known.tls?.id === tls?.id &&
  known.tls?.version === tls?.version &&
  known.place?.runnerId === place?.runnerId;

function parse(server: ServerEntry): URL {
  try {
    return new URL(server.url);
  } catch (error) {
    throw new GatewayError('upstream.unreachable', { serverId: server.id }, { cause: error });
  }
}

function sseOver(url: URL, { limits }: ServerEntry, ways: { streams: ClosablePool; posts: ClosablePool }): ClosablePool {
  return new SsePool({ origin: url.origin, path: url.pathname + url.search, eventBytesMax: limits.resultBytesMax + 1024 }, ways);
}
