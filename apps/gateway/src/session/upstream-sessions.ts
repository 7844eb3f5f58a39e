import type { JsonObject } from '@portcullis/mcp';
import type { Sealer } from '@portcullis/secrets';
import { LRUCache } from '../lru-cache.js';
import type { SessionStore } from './session-store.js';

/** A session at a legacy server; `id` is undefined where the server works without. */
export interface UpstreamSession {
  readonly id: string | undefined;
  readonly version: string;
}

/** Whose session at which server: sessions are never shared by agents, nor by two sessions of one agent. */
export interface SessionOwner {
  readonly serverId: string;
  readonly agentId: string;
  /** The agent's own session, null for a caller that has none. */
  readonly session: string | null;
  /** What the server was told at the handshake that it may ask; callers without a session share one only if theirs are equal. */
  readonly capabilities: JsonObject;
}

/** Opens a new session at the server, by its handshake. */
export type OpenSession = () => Promise<UpstreamSession>;

const LIFETIME_MS = 3_600_000;
const REMEMBERED_MAX = 20_000;

/**
 * Sessions at legacy servers, made on first use by whichever node gets there first and used by all of them. Ids lie in Redis sealed; while Redis
 * is away, a node uses a session of its own.
 */
export class UpstreamSessions {
  private readonly known = new LRUCache<UpstreamSession>(REMEMBERED_MAX);
  private readonly opening = new Map<string, Promise<UpstreamSession>>();

  constructor(
    private readonly store: SessionStore,
    private readonly sealer: () => Sealer,
  ) {}

  /** The owner's session, opened now if there is none. */
  async get(owner: SessionOwner, open: OpenSession): Promise<UpstreamSession> {
    const key = keyOf(owner);
    return this.known.get(key) ?? this.once(key, () => this.find(key, open));
  }

  /** A session in the place of one the server no longer knows. */
  replace(owner: SessionOwner, lost: UpstreamSession, open: OpenSession): Promise<UpstreamSession> {
    const key = keyOf(owner);
    const current = this.known.get(key);
    // Another call has been here already.
    if (current !== undefined && current.id !== lost.id) return Promise.resolve(current);
    return this.once(key, () => this.renew(key, lost, open));
  }

  private once(key: string, work: () => Promise<UpstreamSession>): Promise<UpstreamSession> {
    const underWay = this.opening.get(key);
    if (underWay !== undefined) return underWay;
    const promise = work()
      .then((session) => {
        this.known.set(key, session);
        return session;
      })
      .finally(() => this.opening.delete(key));
    this.opening.set(key, promise);
    return promise;
  }

  private async find(key: string, open: OpenSession): Promise<UpstreamSession> {
    const shared = await this.read(key);
    if (shared !== undefined) return shared;
    const own = await open();
    const taken = await this.store.setIfAbsent(key, this.seal(own, key), LIFETIME_MS).catch(() => true);
    // Another node was quicker: its session is everybody's.
    return taken ? own : ((await this.read(key)) ?? own);
  }

  private async renew(key: string, lost: UpstreamSession, open: OpenSession): Promise<UpstreamSession> {
    const shared = await this.read(key);
    if (shared !== undefined && shared.id !== lost.id) return shared;
    this.known.delete(key);
    const own = await open();
    await this.store.set(key, this.seal(own, key), LIFETIME_MS).catch(() => undefined);
    return own;
  }

  private async read(key: string): Promise<UpstreamSession | undefined> {
    const sealed = await this.store.get(key).catch(() => null);
    if (sealed === null) return undefined;
    try {
      const content: unknown = JSON.parse(this.sealer().open(sealed, key).toString());
      if (!Array.isArray(content)) return undefined;
      const [id, version]: unknown[] = content;
      if (typeof version !== 'string') return undefined;
      return { id: typeof id === 'string' ? id : undefined, version };
    } catch {
      // Sealed under a key that is gone, or not by us: as good as nothing.
      await this.store.delete(key).catch(() => undefined);
      return undefined;
    }
  }

  private seal(session: UpstreamSession, key: string): string {
    return this.sealer().seal(JSON.stringify([session.id ?? null, session.version]), key);
  }
}

function keyOf({ serverId, agentId, session, capabilities }: SessionOwner): string {
  return `portcullis:upstream-session:${serverId}:${agentId}:${session ?? `-${JSON.stringify(capabilities)}`}`;
}
