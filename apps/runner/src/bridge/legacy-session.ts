import { randomUUID } from 'node:crypto';
import type { HttpReply } from './reply.js';

/** One session of the older era: an agent's, at one server. */
export interface LegacySession {
  readonly id: string;
  readonly agentId: string;
  /** Of the child that it belongs to, where that is one of several. */
  readonly key: string;
  /** Its own stream, while one is open. */
  stream: HttpReply | undefined;
  readonly subscriptions: Set<string>;
  /** Questions of the child that wait for this session's answer, by their ids as JSON. */
  readonly questions: Set<string>;
  usedAt: number;
}

/** Sessions that one server keeps; of more, the one that was unused longest goes. */
const SESSIONS_MAX = 10_000;
const UNUSED_MS_MAX = 2 * 60 * 60 * 1000;

/** The sessions at one server. */
export class LegacySessions {
  private readonly sessions = new Map<string, LegacySession>();

  constructor(private readonly onEnd: (session: LegacySession) => void) {}

  add(agentId: string, key: string, now: number): LegacySession {
    this.endUnused(now);
    const session: LegacySession = {
      id: randomUUID(),
      agentId,
      key,
      stream: undefined,
      subscriptions: new Set(),
      questions: new Set(),
      usedAt: now,
    };
    this.sessions.set(session.id, session);
    return session;
  }

  /** The session of this id, if it is this agent's. */
  find(id: string | undefined, agentId: string, now: number): LegacySession | undefined {
    const session = id === undefined ? undefined : this.sessions.get(id);
    if (session?.agentId !== agentId) return undefined;
    // The last of the map is the one that was used last.
    this.sessions.delete(session.id);
    this.sessions.set(session.id, session);
    session.usedAt = now;
    return session;
  }

  all(): Iterable<LegacySession> {
    return this.sessions.values();
  }

  /** Whether any belongs to the child of this key. */
  hasAny(key: string): boolean {
    for (const session of this.sessions.values()) if (session.key === key) return true;
    return false;
  }

  end(session: LegacySession): void {
    if (!this.sessions.delete(session.id)) return;
    session.stream?.end();
    this.onEnd(session);
  }

  /** Ends all that belong to the child of this key. */
  endOf(key: string): void {
    for (const session of this.sessions.values()) if (session.key === key) this.end(session);
  }

  private endUnused(now: number): void {
    for (const session of this.sessions.values()) {
      if (this.sessions.size < SESSIONS_MAX && now - session.usedAt < UNUSED_MS_MAX) return;
      if (session.stream === undefined || this.sessions.size >= SESSIONS_MAX) this.end(session);
    }
  }
}
