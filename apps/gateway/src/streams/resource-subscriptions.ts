import type { PolicySnapshot } from '@portcullis/snapshot';
import { decideTarget } from '../policy/decide-target.js';
import { resolveTarget, type TargetMethod } from '../target/resolve-target.js';
import type { AgentView } from '../view/agent-view.js';
import type { AgentViews } from '../view/agent-views.js';
import type { ChangeStream } from './change-stream.js';

const READ: TargetMethod = { kind: 'resource', member: 'uri' };
const GATHER_MS = 100;
/** Of one server: what others say must not be lost for what it says. */
const GATHERED_MAX = 1000;
/** So far above what has changed is looked for listeners: a server alone decides how many parts its addresses have. */
const PARTS_MAX = 64;

/** The server that has this resource for the agent, by the decision that reading it would get; undefined where it may not be read. */
function resourceServer(view: AgentView, uri: string, now: number): string | undefined {
  const target = resolveTarget(view, READ, uri);
  return target !== undefined && decideTarget(view, target, undefined, now).effect !== 'deny' ? target.server.id : undefined;
}

interface ResourceSubscriptionParts {
  readonly policy: { current(): PolicySnapshot | undefined };
  readonly views: AgentViews;
  readonly now: () => number;
  /** Told when the first stream here wants to hear of a resource, and when the last one no longer does. */
  readonly onWanted: (serverId: string, uri: string, isWanted: boolean) => void;
}

/** Which streams are told when a resource changes. Every message is decided anew, as a read of the resource would be. */
export class ResourceSubscriptions {
  private readonly listeners = new Map<string, Set<ChangeStream>>();
  /** Resources that changed just now, by server. */
  private readonly gathered = new Map<string, Set<string>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: ResourceSubscriptionParts) {}

  /** From here on the stream is told of these resources, and of no other. */
  set(stream: ChangeStream, uris: Iterable<string>): void {
    const view = this.viewOf(stream);
    const before = stream.resources;
    stream.resources = new Map();
    for (const uri of uris) stream.resources.set(uri, before?.get(uri) ?? null);
    for (const [uri, serverId] of before ?? []) if (serverId !== null && !stream.resources.has(uri)) this.remove(stream, serverId, uri);
    if (view !== undefined) this.refresh(stream, view);
  }

  /** Policy may differ: looks up again which server has each of the stream's resources. */
  refresh(stream: ChangeStream, view: AgentView): void {
    for (const [uri, before] of stream.resources ?? []) {
      const serverId = resourceServer(view, uri, this.parts.now()) ?? null;
      if (serverId === before) continue;
      if (before !== null) this.remove(stream, before, uri);
      if (serverId !== null) this.add(stream, serverId, uri);
      stream.resources?.set(uri, serverId);
    }
  }

  drop(stream: ChangeStream): void {
    for (const [uri, serverId] of stream.resources ?? []) if (serverId !== null) this.remove(stream, serverId, uri);
    stream.resources = undefined;
  }

  /** A server says that a resource, or one below it, has changed. What nobody here asked for is forgotten at once. */
  noteUpdated(serverId: string, uri: string): void {
    const gathered = this.gathered.get(serverId) ?? new Set<string>();
    if (gathered.size >= GATHERED_MAX || gathered.has(uri) || this.listenersOf(serverId, uri).length === 0) return;
    this.gathered.set(serverId, gathered.add(uri));
    this.timer ??= setTimeout(() => this.tell(), GATHER_MS);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private tell(): void {
    this.timer = undefined;
    const updates = [...this.gathered];
    this.gathered.clear();
    for (const [serverId, uris] of updates) for (const uri of uris) this.tellOf(serverId, uri);
  }

  private tellOf(serverId: string, uri: string): void {
    for (const stream of new Set(this.listenersOf(serverId, uri))) {
      const view = this.viewOf(stream);
      if (view !== undefined && resourceServer(view, uri, this.parts.now()) === serverId) stream.tellUpdated(uri);
    }
  }

  /** Those who asked for the resource itself, or for one that it lies in. */
  private listenersOf(serverId: string, uri: string): readonly ChangeStream[] {
    const found: ChangeStream[] = [];
    for (let part = uri, parts = 0; part !== '' && parts < PARTS_MAX; part = part.slice(0, Math.max(0, part.lastIndexOf('/'))), parts += 1) {
      const listeners = this.listeners.get(keyOf(serverId, part));
      if (listeners !== undefined) found.push(...listeners);
    }
    return found;
  }

  private viewOf({ facts }: ChangeStream): AgentView | undefined {
    const { policy, views, now } = this.parts;
    const live = policy.current();
    const agent = live?.agents.get(facts.agentId);
    return live === undefined || agent === undefined ? undefined : views.of(agent, facts.slug, { live, now: now(), task: facts.task });
  }

  private add(stream: ChangeStream, serverId: string, uri: string): void {
    const key = keyOf(serverId, uri);
    const listeners = this.listeners.get(key);
    if (listeners !== undefined) {
      listeners.add(stream);
      return;
    }
    this.listeners.set(key, new Set([stream]));
    this.parts.onWanted(serverId, uri, true);
  }

  private remove(stream: ChangeStream, serverId: string, uri: string): void {
    const key = keyOf(serverId, uri);
    const listeners = this.listeners.get(key);
    if (listeners?.delete(stream) !== true || listeners.size > 0) return;
    this.listeners.delete(key);
    this.parts.onWanted(serverId, uri, false);
  }
}

const keyOf = (serverId: string, uri: string): string => `${serverId} ${uri}`;
