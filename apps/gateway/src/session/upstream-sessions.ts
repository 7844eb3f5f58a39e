import type { JsonObject } from '@portcullis/mcp';
import type { Sealer } from '@portcullis/secrets';
import { LRUCache } from '../memory/lru-cache.js';
import type { IndexedSessionStore } from './session-store.js';

/** A session at a legacy server; `id` is undefined where the server works without. */
export interface UpstreamSession {
  readonly id: string | undefined;
  readonly version: string;
  /** What it was opened with (`UpstreamWay`): it is nobody else's. */
  readonly signedInAs?: string;
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
type OpenSession = () => Promise<UpstreamSession>;

/** How long a session is kept that nobody uses. */
const LIFETIME_MS = 3_600_000;
const TOUCH_EVERY_MS = 600_000;
/** Redis forgets it first, unless another node uses it. */
const DROP_AFTER_MS = 60_000;
/** The longest that a session of an agent lives. */
const INDEX_MS = 86_400_000;
const REMEMBERED_MAX = 20_000;

interface Known {
  readonly serverId: string;
  readonly session: UpstreamSession;
  /** When Redis was last told that it is in use, on the monotonic clock. */
  touchedAt: number;
}

/**
 * Sessions at legacy servers, made on first use by whichever node gets there first and used by all of them. Ids lie in Redis sealed; while Redis
 * is away, a node uses a session of its own.
 */
export class UpstreamSessions {
  private readonly known = new LRUCache<Known>(REMEMBERED_MAX);
  private readonly opening = new Map<string, Promise<UpstreamSession>>();
  /** Told of sessions that nobody will come back to. */
  onUnused: (serverId: string, session: UpstreamSession) => void = () => undefined;

  constructor(
    private readonly store: IndexedSessionStore,
    private readonly sealer: () => Sealer,
  ) {}

  /** The owner's session, opened now if there is none. */
  async get(owner: SessionOwner, open: OpenSession): Promise<UpstreamSession> {
    const key = keyOf(owner);
    const known = this.known.get(key);
    if (known === undefined) return this.once(owner, () => this.find(owner, open));
    const unusedMs = performance.now() - known.touchedAt;
    if (unusedMs > LIFETIME_MS) return this.once(owner, () => this.find(owner, open)); // by now Redis has forgotten it, and maybe the server
    if (unusedMs > TOUCH_EVERY_MS) this.touch(key, known);
    return known.session;
  }

  /** Takes out all sessions that belong to this one of the agent, for whoever ends them at their servers. */
  async takeAll(agentId: string, session: string): Promise<{ serverId: string; session: UpstreamSession }[]> {
    const serverIds = await this.store.takeMembers(indexOf(session)).catch(() => []);
    const taken = await Promise.all(
      serverIds.map(async (serverId) => {
        const key = keyOf({ serverId, agentId, session, capabilities: {} });
        const found = this.known.get(key)?.session ?? (await this.read(key));
        this.known.delete(key);
        await this.store.delete(key).catch(() => undefined);
        return found === undefined ? [] : [{ serverId, session: found }];
      }),
    );
    return taken.flat();
  }

  /** Forgets what nobody has used for long, here or on another node. */
  async dropUnused(): Promise<void> {
    const before = performance.now() - LIFETIME_MS - DROP_AFTER_MS;
    const unused = [...this.known.entries()].filter(([, { touchedAt }]) => touchedAt < before);
    for (const [key, { serverId, session }] of unused) {
      this.known.delete(key);
      // Another node keeps it in Redis for as long as it uses it. While Redis is away nobody knows.
      const kept = await this.store.get(key).catch(() => '');
      if (kept === null) this.onUnused(serverId, session);
    }
  }

  private touch(key: string, known: Known): void {
    known.touchedAt = performance.now();
    this.store.touch(key, LIFETIME_MS).catch(() => undefined);
  }

  /** A session in the place of one the server no longer knows. */
  replace(owner: SessionOwner, lost: UpstreamSession, open: OpenSession): Promise<UpstreamSession> {
    const key = keyOf(owner);
    const current = this.known.get(key)?.session;
    // Another call has been here already.
    if (current !== undefined && current.id !== lost.id) return Promise.resolve(current);
    return this.once(owner, () => this.renew(key, lost, open));
  }

  private once(owner: SessionOwner, work: () => Promise<UpstreamSession>): Promise<UpstreamSession> {
    const key = keyOf(owner);
    const underWay = this.opening.get(key);
    if (underWay !== undefined) return underWay;
    const promise = work()
      .then((session) => {
        this.known.set(key, { serverId: owner.serverId, session, touchedAt: performance.now() });
        return session;
      })
      .finally(() => this.opening.delete(key));
    this.opening.set(key, promise);
    return promise;
  }

  private async find(owner: SessionOwner, open: OpenSession): Promise<UpstreamSession> {
    const key = keyOf(owner);
    const shared = await this.read(key);
    if (shared !== undefined) return shared;
    const own = await open();
    const taken = await this.store.setIfAbsent(key, this.seal(own, key), LIFETIME_MS).catch(() => true);
    if (owner.session !== null) await this.store.addMember(indexOf(owner.session), owner.serverId, INDEX_MS).catch(() => undefined);
    const quicker = taken ? undefined : await this.read(key);
    if (quicker === undefined) return own;
    this.onUnused(owner.serverId, own); // another node was quicker: its session is everybody's
    return quicker;
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
      const [id, version, signedInAs]: unknown[] = content;
      if (typeof version !== 'string') return undefined;
      return { id: typeof id === 'string' ? id : undefined, version, ...(typeof signedInAs === 'string' && { signedInAs }) };
    } catch {
      // Sealed under a key that is gone, or not by us: as good as nothing.
      await this.store.delete(key).catch(() => undefined);
      return undefined;
    }
  }

  private seal(session: UpstreamSession, key: string): string {
    return this.sealer().seal(JSON.stringify([session.id ?? null, session.version, session.signedInAs]), key);
  }
}

/** One name for what belongs to an owner, wherever it is kept. */
export function keyOf({ serverId, agentId, session, capabilities }: SessionOwner): string {
  return `portcullis:upstream-session:${serverId}:${agentId}:${session ?? `-${JSON.stringify(capabilities)}`}`;
}

const indexOf = (session: string): string => `portcullis:session-servers:${session}`;
