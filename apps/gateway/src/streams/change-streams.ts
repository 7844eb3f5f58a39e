import type { ServerResponse } from 'node:http';
import { GatewayError } from '@portcullis/contracts/errors';
import type { Implementation } from '@portcullis/mcp';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { isIssuerTrusted } from '../caller/trusted-issuer.js';
import type { AgentViews } from '../view/agent-views.js';
import { Audiences } from './audiences.js';
import { ChangeStream, type StreamFacts } from './change-stream.js';
import { ResourceSubscriptions } from './resource-subscriptions.js';
import { SessionStreams } from './session-streams.js';
import type { SessionSubscriptions } from './session-subscriptions.js';
import { StreamWheel, TURN_MS } from './stream-wheel.js';

/** What is wanted of servers, for the streams that are open here. */
export interface Interest {
  wantServer(serverId: string, isWanted: boolean): void;
  wantResource(serverId: string, uri: string, isWanted: boolean): void;
}

export interface ChangeStreamParts {
  readonly serverInfo: Implementation;
  readonly policy: { current(): PolicySnapshot | undefined; ageMs(): number };
  readonly views: AgentViews;
  readonly subscriptions: SessionSubscriptions;
  readonly isEnded: (sessionName: string) => boolean;
  readonly interest: Interest;
  readonly now: () => number;
}

/** Streams that one agent may have open on one node. */
export const STREAMS_PER_AGENT_MAX = 1024;
/** How often it is looked at whether streams must end, in turns of the wheel: each second. */
const TURNS_PER_LOOK = 10;

/** All open streams of change messages on this node: who is told what, and when a stream ends. */
export class ChangeStreams {
  readonly sessions: SessionStreams;
  readonly resources: ResourceSubscriptions;
  private readonly audiences: Audiences;
  private readonly wheel = new StreamWheel();
  private readonly countByAgent = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private closed = false;
  private turns = 0;

  constructor(private readonly parts: ChangeStreamParts) {
    const { policy, views, now, interest, subscriptions } = parts;
    this.resources = new ResourceSubscriptions({ policy, views, now, onWanted: (...wanted) => interest.wantResource(...wanted) });
    this.sessions = new SessionStreams(subscriptions, this.resources, (stream) => stream.end(parts.serverInfo));
    this.audiences = new Audiences({
      policy,
      views,
      now,
      onShown: (begins, ceases) => {
        for (const id of begins) interest.wantServer(id, true);
        for (const id of ceases) interest.wantServer(id, false);
      },
      onRead: (audience, view) => {
        for (const stream of audience.streams) this.resources.refresh(stream, view);
      },
    });
    this.timer = setInterval(() => this.turn(), TURN_MS).unref();
  }

  get size(): number {
    return this.wheel.size;
  }

  /**
   * Takes one of the agent's places for a stream, to be opened when `recorded` is fulfilled. Refuses (`limit.streams`, `node.stopping`) when there is
   * none.
   */
  async takePlace(agentId: string, recorded: () => Promise<void> | undefined): Promise<void> {
    if (this.closed) throw new GatewayError('node.stopping');
    if ((this.countByAgent.get(agentId) ?? 0) >= STREAMS_PER_AGENT_MAX)
      throw new GatewayError('limit.streams', { streamsMax: STREAMS_PER_AGENT_MAX });
    // Counted before anything is waited for, so that many at once are counted too.
    this.count(agentId, 1);
    try {
      await recorded();
    } catch (error) {
      this.count(agentId, -1);
      throw error;
    }
  }

  /** Takes over an answer that has become a stream, in a place taken for it; it is told of every change from here on. */
  open(response: ServerResponse, facts: StreamFacts): ChangeStream {
    const stream = new ChangeStream(response, facts);
    this.wheel.add(stream);
    response.once('close', () => this.forget(stream));
    this.audiences.join(stream);
    // What was decided before the record of the opening may have changed meanwhile.
    if (response.destroyed) this.forget(stream);
    else if (this.closed) stream.end(this.parts.serverInfo);
    else if (!this.isGood(stream)) stream.cut();
    return stream;
  }

  /** A new snapshot is served. */
  policyApplied({ changed }: PolicySnapshot): void {
    if (changed.agentIds.size > 0 || changed.settings) this.endRevoked();
    this.audiences.noteSnapshot(changed);
  }

  resourceUpdated(serverId: string, uri: string): void {
    this.resources.noteUpdated(serverId, uri);
  }

  /** Ends every stream in good order; agents open new ones on another node. */
  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.audiences.close();
    this.resources.close();
    for (const stream of this.wheel.streams) stream.end(this.parts.serverInfo);
  }

  private turn(): void {
    this.wheel.turn();
    this.turns = (this.turns + 1) % TURNS_PER_LOOK;
    if (this.turns > 0) return;
    const { policy, now } = this.parts;
    this.endRevoked();
    this.audiences.noteTime(now());
    const live = policy.current();
    // What would refuse a new request ends an old stream too.
    if (live !== undefined && policy.ageMs() > live.settings.staleAfterMs) for (const stream of this.wheel.streams) stream.end(this.parts.serverInfo);
  }

  private endRevoked(): void {
    for (const stream of this.wheel.streams) if (!this.isGood(stream)) stream.cut();
  }

  private isGood({ facts }: ChangeStream): boolean {
    const now = this.parts.now();
    const { session, keyId, task, agentId, expiresAt } = facts;
    const live = this.parts.policy.current();
    const found = live?.agentByKeyId.get(keyId);
    if (live === undefined || found === undefined || found.agent.id !== agentId || !found.agent.enabled) return false;
    if (!isIssuerTrusted(keyId, live.settings)) return false;
    if (found.key.expiresAt !== null && now >= found.key.expiresAt) return false;
    if ((task !== undefined && now >= task.expiresAt) || (expiresAt !== undefined && now >= expiresAt)) return false;
    return session === undefined || (session.expiresAt > now && !this.parts.isEnded(session.name));
  }

  private forget(stream: ChangeStream): void {
    if (!this.wheel.remove(stream)) return;
    this.count(stream.facts.agentId, -1);
    this.sessions.leave(stream);
    this.resources.drop(stream);
    this.audiences.leave(stream);
  }

  private count(agentId: string, change: 1 | -1): void {
    const count = (this.countByAgent.get(agentId) ?? 0) + change;
    if (count === 0) this.countByAgent.delete(agentId);
    else this.countByAgent.set(agentId, count);
  }
}
