import { randomBytes } from 'node:crypto';
import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, isLegacyVersion, type JsonObject } from '@portcullis/mcp';
import { openText, type Sealer } from '@portcullis/secrets';
import { LRUCache } from '../memory/lru-cache.js';

/** A session of the legacy era. Everything a node must know of it is sealed in its id. */
export interface Session {
  /** Short name of this one session, for what lies elsewhere under it. */
  readonly name: string;
  readonly agentId: string;
  /** The one task, or subject of access tokens, it belongs to; null for the agent itself. */
  readonly principal: string | null;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** What the client said it can be asked, as `askableCapabilities` has it. */
  readonly capabilities: JsonObject;
}

/** Which sessions their clients have ended, on whatever node. */
export interface EndedSessions {
  has(name: string): boolean;
  add(name: string, expiresAt: number): void;
}

const LIFETIME_MS = 86_400_000;
const AAD = 'legacy-session|1';
const ID_CHARS_MAX = 1024;
const REMEMBERED_MAX = 10_000;

/** Makes and opens legacy session ids: sealed tokens that any node with the ring opens, bound to one agent. */
export class AgentSessions {
  private readonly opened = new LRUCache<Session>(REMEMBERED_MAX);

  constructor(
    private readonly sealer: () => Sealer,
    private readonly ended: EndedSessions,
    private readonly onForeign: () => void = () => undefined,
  ) {}

  /** The id of a new session. */
  start(agentId: string, version: string, facts: { capabilities: JsonObject; now: number; principal?: string | undefined }): string {
    const content = [randomBytes(9).toString('base64url'), agentId, version, facts.now + LIFETIME_MS, facts.capabilities, facts.principal ?? null];
    return this.sealer().seal(JSON.stringify(content), AAD);
  }

  /** Opens an id; `client.unknown_session` for one that is forged, expired or ended, `client.foreign_session` for another agent's: all alike outside. */
  open(id: string, agentId: string, now: number, principal?: string): Session {
    const session = this.opened.get(id) ?? this.unseal(id);
    if (session.agentId !== agentId) {
      this.onForeign();
      throw new GatewayError('client.foreign_session', { ownerId: session.agentId });
    }
    if (session.principal !== (principal ?? null)) throw new GatewayError('client.unknown_session', { reason: 'of another key' });
    if (session.expiresAt <= now) throw new GatewayError('client.unknown_session', { reason: 'expired' });
    if (this.ended.has(session.name)) throw new GatewayError('client.unknown_session', { reason: 'ended' });
    return session;
  }

  end(session: Session): void {
    this.ended.add(session.name, session.expiresAt);
  }

  /** For when the ring changed: what only a withdrawn key opens must not be remembered. */
  forgetOpened(): void {
    this.opened.clear();
  }

  private unseal(id: string): Session {
    if (id.length > ID_CHARS_MAX) throw new GatewayError('client.unknown_session', { reason: 'too long' });
    const text = openText(this.sealer(), id, AAD);
    if (text === undefined) throw new GatewayError('client.unknown_session', { reason: 'not ours' });
    const session = readSession(text);
    if (session === undefined) throw new GatewayError('client.unknown_session', { reason: 'unreadable' });
    this.opened.set(id, session);
    return session;
  }
}

function readSession(text: string): Session | undefined {
  const content: unknown = JSON.parse(text);
  if (!Array.isArray(content)) return undefined;
  const [name, agentId, version, expiresAt, capabilities, principal]: unknown[] = content;
  if (typeof name !== 'string' || typeof agentId !== 'string' || typeof version !== 'string' || typeof expiresAt !== 'number') return undefined;
  if (!isLegacyVersion(version)) return undefined;
  return {
    name,
    agentId,
    principal: typeof principal === 'string' ? principal : null,
    version,
    expiresAt,
    capabilities: isJsonObject(capabilities) ? capabilities : {},
  };
}
