import { GatewayError } from '@portcullis/contracts/errors';
import type { Session } from '../session/agent-sessions.js';
import type { ChangeStream } from './change-stream.js';
import type { ResourceSubscriptions } from './resource-subscriptions.js';
import type { SessionSubscriptions } from './session-subscriptions.js';

/** Resources that one session, or one listen, may be told of. */
export const RESOURCES_MAX = 1000;

interface OwnStream {
  /** Its place in the order of the session's streams; unknown until Redis has answered. */
  number: number | undefined;
  /** The newest of the session that was heard of. */
  newest: number;
  readonly session: Session;
  readonly stream: ChangeStream;
}

/**
 * Legacy sessions' streams on this node. A session has one stream, on whichever node: a newer one ends the older, so no message comes twice. What
 * it subscribed to on any node is told on that stream.
 */
export class SessionStreams {
  private readonly bySession = new Map<string, OwnStream>();

  constructor(
    private readonly shared: SessionSubscriptions,
    private readonly resources: ResourceSubscriptions,
    private readonly end: (stream: ChangeStream) => void,
  ) {
    shared.onChanged = (name) => void this.reload(name);
    shared.onStream = (sessionName, number) => {
      const own = this.bySession.get(sessionName);
      if (own === undefined) return;
      own.newest = Math.max(own.newest, number);
      this.endIfOlder(own);
    };
  }

  /** The stream that this session of the agent has here. */
  streamOf(sessionName: string, agentId: string): ChangeStream | undefined {
    const own = this.bySession.get(sessionName);
    return own?.session.agentId === agentId ? own.stream : undefined;
  }

  async join(stream: ChangeStream, session: Session): Promise<void> {
    const older = this.bySession.get(session.name);
    const own: OwnStream = { number: undefined, newest: 0, session, stream };
    this.bySession.set(session.name, own);
    if (older !== undefined) this.end(older.stream);
    // While Redis is away nobody elsewhere hears of it; a session then may have a stream on each node.
    own.number = await this.shared.announceStream(session).catch(() => undefined);
    this.endIfOlder(own);
    await this.reload(session.name);
  }

  leave(stream: ChangeStream): void {
    const name = stream.facts.session?.name;
    if (name !== undefined && this.bySession.get(name)?.stream === stream) this.bySession.delete(name);
  }

  async subscribe(session: Session, uri: string): Promise<void> {
    const taken = await this.shared.add(session, uri, RESOURCES_MAX).catch((error: unknown) => {
      throw new GatewayError('node.overloaded', { part: 'subscriptions' }, { cause: error });
    });
    if (!taken) throw new GatewayError('limit.streams', { resourcesMax: RESOURCES_MAX });
    await this.reload(session.name);
  }

  async unsubscribe(session: Session, uri: string): Promise<void> {
    await this.shared.remove(session, uri).catch((error: unknown) => {
      throw new GatewayError('node.overloaded', { part: 'subscriptions' }, { cause: error });
    });
    await this.reload(session.name);
  }

  /** After an outage of Redis: what was missed is looked up. */
  reloadAll(): void {
    for (const name of this.bySession.keys()) void this.reload(name);
  }

  private endIfOlder({ number, newest, stream }: OwnStream): void {
    if (number !== undefined && newest > number) this.end(stream);
  }

  private async reload(sessionName: string): Promise<void> {
    const own = this.bySession.get(sessionName);
    if (own === undefined) return;
    try {
      const uris = await this.shared.of(own.session);
      if (this.bySession.get(sessionName) === own && (uris.length > 0 || own.stream.resources !== undefined)) this.resources.set(own.stream, uris);
    } catch {
      // Redis is away; the stream goes on with what it has.
    }
  }
}
