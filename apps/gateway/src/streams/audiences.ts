import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TargetSelector } from '@portcullis/contracts/grants';
import type { PolicySnapshot, SnapshotChange } from '@portcullis/snapshot';
import type { Task } from '../caller/task-keys.js';
import type { AgentView } from '../view/agent-view.js';
import type { AgentViews } from '../view/agent-views.js';
import type { ChangeStream, StreamFacts } from './change-stream.js';
import { differingLists, NO_LISTS, readView, type ListSet } from './list-kinds.js';
import { SelectingAudiences } from './selecting-audiences.js';

/** The streams of one agent at one endpoint, or of its tasks that may use the same: they see the same lists. */
export class Audience {
  readonly streams = new Set<ChangeStream>();
  digests: readonly string[] = [];
  /** Ids of what its lists come from: agent, groups, servers. */
  concerns: readonly string[] = [];
  /** Servers of which its lists show something. */
  shown: readonly string[] = [];
  /** What lets servers join its lists that no grant names. */
  selectors: readonly TargetSelector[] = [];
  validUntil: number | null = null;

  constructor(
    readonly agentId: string,
    readonly slug: string | null,
    readonly task: Task | undefined,
  ) {}
}

interface AudienceParts {
  readonly policy: { current(): PolicySnapshot | undefined };
  readonly views: AgentViews;
  readonly now: () => number;
  /** Told which servers an audience begins and ceases to see. */
  readonly onShown: (begins: readonly string[], ceases: readonly string[]) => void;
  /** Told when an audience was read anew by a policy that may differ. */
  readonly onRead: (audience: Audience, view: AgentView) => void;
}

/** Changes are gathered until none came for `QUIET_MS`, for `GATHER_MS_MAX` at most. */
const QUIET_MS = 100;
const GATHER_MS_MAX = 1000;
/** Longer work without a pause would be felt by the calls of agents. */
const BUSY_MS_MAX = 5;

/** Who has streams open, and which of their lists a change of policy or the passing of time has changed. */
export class Audiences {
  private readonly byName = new Map<string, Audience>();
  private readonly concerned = new Map<string, Set<Audience>>();
  private readonly selecting = new SelectingAudiences<Audience>();
  private dirty = new Set<Audience>();
  private timer: NodeJS.Timeout | undefined;
  private gatheringSince = 0;
  private markedAt = 0;

  constructor(private readonly parts: AudienceParts) {}

  /** Takes a stream in. From here on it is told of every change. */
  join(stream: ChangeStream): void {
    const { agentId, slug, task } = stream.facts;
    const name = nameOf(stream.facts);
    let audience = this.byName.get(name);
    if (audience === undefined) {
      audience = new Audience(agentId, slug, task);
      this.byName.set(name, audience);
      this.read(audience);
    }
    audience.streams.add(stream);
  }

  leave(stream: ChangeStream): void {
    const name = nameOf(stream.facts);
    const audience = this.byName.get(name);
    if (audience === undefined || !audience.streams.delete(stream) || audience.streams.size > 0) return;
    this.byName.delete(name);
    this.dirty.delete(audience);
    this.reindex(audience, [], []);
    this.parts.onShown([], audience.shown);
  }

  /** A new snapshot is served: whoever its differences concern is read anew. */
  noteSnapshot({ agentIds, subjectIds, serverIds }: SnapshotChange): void {
    for (const ids of [agentIds, subjectIds, serverIds]) for (const id of ids) this.concerned.get(id)?.forEach((audience) => this.mark(audience));
    const servers = this.parts.policy.current()?.servers;
    const changed = [...serverIds].flatMap((id) => servers?.get(id) ?? []);
    for (const audience of this.selecting.concernedBy(changed)) this.mark(audience);
  }

  /** Grants begin and end without a new snapshot. */
  noteTime(now: number): void {
    for (const audience of this.byName.values()) if (audience.validUntil !== null && audience.validUntil <= now) this.mark(audience);
  }

  close(): void {
    clearTimeout(this.timer);
    this.dirty.clear();
  }

  private mark(audience: Audience): void {
    this.markedAt = performance.now();
    if (this.dirty.size === 0) this.gatheringSince = this.markedAt;
    this.dirty.add(audience);
    this.timer ??= setTimeout(() => this.look(), QUIET_MS);
  }

  private look(): void {
    const now = performance.now();
    const isQuiet = now - this.markedAt >= QUIET_MS - 1;
    if (isQuiet || now - this.gatheringSince >= GATHER_MS_MAX - QUIET_MS) void this.flush();
    else this.timer = setTimeout(() => this.look(), QUIET_MS);
  }

  private async flush(): Promise<void> {
    const batch = this.dirty;
    this.dirty = new Set();
    let busySince = performance.now();
    for (const audience of batch) {
      if (audience.streams.size === 0) continue;
      const lists = this.read(audience);
      for (const stream of audience.streams) {
        stream.tellLists(lists);
        if (performance.now() - busySince < BUSY_MS_MAX) continue;
        await nextTurn();
        busySince = performance.now();
      }
    }
    this.timer = this.dirty.size === 0 ? undefined : setTimeout(() => this.look(), QUIET_MS);
  }

  /** Reads what the audience sees now; gives the lists to tell of. */
  private read(audience: Audience): ListSet {
    const { policy, views, now, onShown, onRead } = this.parts;
    const live = policy.current();
    const agent = live?.agents.get(audience.agentId);
    if (live === undefined || agent === undefined) return NO_LISTS;
    const view = views.of(agent, audience.slug, { live, now: now(), task: audience.task });
    const { digests, shown } = audience;
    const reading = readView(view);
    audience.digests = reading.digests;
    audience.shown = reading.shown;
    audience.validUntil = view.validUntil;
    this.reindex(audience, [agent.id, ...agent.groupIds, ...view.parts.serverIds], view.table.selectors);
    if (shown !== reading.shown) {
      const [before, after] = [new Set(shown), new Set(reading.shown)];
      onShown(
        reading.shown.filter((id) => !before.has(id)),
        shown.filter((id) => !after.has(id)),
      );
    }
    onRead(audience, view);
    return differingLists(digests, audience.digests);
  }

  private reindex(audience: Audience, concerns: readonly string[], selectors: readonly TargetSelector[]): void {
    this.selecting.move(audience, audience.selectors, selectors);
    audience.selectors = selectors;
    for (const id of audience.concerns) {
      const set = this.concerned.get(id);
      if (set?.delete(audience) === true && set.size === 0) this.concerned.delete(id);
    }
    for (const id of concerns) {
      const set = this.concerned.get(id);
      if (set === undefined) this.concerned.set(id, new Set([audience]));
      else set.add(audience);
    }
    audience.concerns = concerns;
  }
}

const nameOf = ({ agentId, slug, task }: StreamFacts): string => `${agentId} ${slug ?? ''} ${task?.narrowingId ?? ''}`;
