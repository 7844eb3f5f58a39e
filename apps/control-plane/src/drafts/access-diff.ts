import { setImmediate as pause } from 'node:timers/promises';
import type { AccessShift } from '@portcullis/contracts/api/drafts';
import { TargetKind, type Id, type Slug } from '@portcullis/contracts/names';
import { decide, type Decision, type PolicyTable } from '@portcullis/policy';
import type { PolicyServer } from '../policy/policy.repository.js';
import { AgentRules } from './agent-rules.js';
import { servedTargets, type PolicyView, type ServedTarget } from './policy-view.js';

export const shiftKinds = ['gained', 'lost', 'conditional'] as const;
export type ShiftKind = (typeof shiftKinds)[number];

type Shift = Omit<AccessShift, 'agent'>;
type Counts = Record<ShiftKind, number>;

/** How much differs for all agents with the same rules: at each server where something does, and in all. What it is, is found when it is listed. */
interface SharedCounts {
  readonly all: Readonly<Counts>;
  readonly byServer: ReadonlyMap<Id, Readonly<Counts>>;
}

interface ServerPair {
  readonly id: Id;
  readonly slug: Slug;
  readonly before: PolicyServer | undefined;
  readonly after: PolicyServer | undefined;
}

interface Tables {
  readonly before: PolicyTable | undefined;
  readonly after: PolicyTable | undefined;
}

/**
 * How access differs between two states of policy at one moment, agent by agent. Rules that many agents share are decided once for all of them;
 * only where an agent has grants of its own it is looked at alone. Differences are counted, never all held: a page is found anew.
 */
export class AccessDiff {
  private readonly before: AgentRules;
  private readonly after: AgentRules;
  private readonly servers: ReadonlyMap<Id, ServerPair>;
  private readonly agents: readonly { readonly id: Id; readonly slug: Slug }[];
  private readonly shared = new Map<string, SharedCounts>();
  private readonly changedGrants: ReadonlySet<Id>;

  constructor(
    before: PolicyView,
    after: PolicyView,
    private readonly now: number,
  ) {
    this.before = new AgentRules(before);
    this.after = new AgentRules(after);
    this.servers = paired(before.servers, after.servers);
    const agents = new Map([...before.agents, ...after.agents].map(({ id, slug }) => [id, { id, slug }]));
    this.agents = [...agents.values()].sort((a, b) => byText(a.slug, b.slug));
    const contents = new Map(before.grants.map((grant) => [grant.id, JSON.stringify(grant)]));
    this.changedGrants = new Set(after.grants.filter((grant) => contents.get(grant.id) !== JSON.stringify(grant)).map(({ id }) => id));
  }

  /** How much there is to decide: agents that differ in their rules, and what is offered. */
  extent(): { readonly kinds: number; readonly targets: number } {
    const offered = [...this.servers.values()].map(({ before, after }) => Math.max(before?.definitions.length ?? 0, after?.definitions.length ?? 0));
    return { kinds: new Set(this.agents.map(({ id }) => this.kindOf(id))).size, targets: offered.reduce((sum, count) => sum + count, 0) };
  }

  /** How many agents gain, lose or change how many things. Pauses between agents of different rules. */
  async counts(): Promise<Counts> {
    const counts = { gained: 0, lost: 0, conditional: 0 };
    for (const [place, { id }] of this.agents.entries()) {
      if (place % 1000 === 999 || !this.shared.has(this.kindOf(id))) await pause();
      add(counts, this.countsOf(id), 1);
    }
    return counts;
  }

  countsOf(agent: Id): Counts {
    const { all, byServer } = this.sharedCounts(agent);
    const counts = { ...all };
    const own = this.ownServers(agent);
    if (own.length === 0) return counts;
    const tables = this.tablesOf(agent, false);
    for (const server of own) {
      const shared = byServer.get(server.id);
      if (shared !== undefined) add(counts, shared, -1);
      add(counts, countsIn(this.shiftsAt(server, tables)), 1);
    }
    return counts;
  }

  /** One kind of difference in order of agent, kind and reference, from behind `after` on, at most one more than asked for. */
  list(kind: ShiftKind, after: Place | undefined, limit: number): AccessShift[] {
    const items: AccessShift[] = [];
    for (const { id, slug } of this.agents) {
      if (after !== undefined && slug < after[0]) continue;
      for (const shift of this.shiftsOf(id, kind, slug === after?.[0] ? after : undefined)) {
        items.push({ agent: slug, ...shift });
        if (items.length > limit) return items;
      }
    }
    return items;
  }

  private *shiftsOf(agent: Id, kind: ShiftKind, after: Place | undefined): Generator<Shift> {
    if (this.countsOf(agent)[kind] === 0) return;
    const { byServer } = this.sharedCounts(agent);
    const own = new Set(this.ownServers(agent));
    const [shared, alone] = [this.tablesOf(agent, true), this.tablesOf(agent, false)];
    for (const targets of kindsInOrder) {
      if (after !== undefined && targets < after[1]) continue;
      const from = targets === after?.[1] ? after : undefined;
      for (const server of this.servers.values()) {
        if (from !== undefined && `${server.slug}:` < from[2].slice(0, from[2].indexOf(':') + 1)) continue;
        if (!own.has(server) && (byServer.get(server.id)?.[kind] ?? 0) === 0) continue;
        const found = this.shiftsAt(server, own.has(server) ? alone : shared, targets).filter(([how]) => how === kind);
        const shifts = found.map(([, shift]) => shift).sort((a, b) => byText(a.ref, b.ref));
        yield* from === undefined ? shifts : shifts.filter(({ ref }) => ref > from[2]);
      }
    }
  }

  private kindOf(agent: Id): string {
    return `${this.before.kindOf(agent)} | ${this.after.kindOf(agent)}`;
  }

  private tablesOf(agent: Id, shared: boolean): Tables {
    return { before: this.before.tableOf(agent, shared), after: this.after.tableOf(agent, shared) };
  }

  private ownServers(agent: Id): ServerPair[] {
    const own = new Set([...this.before.ownServers(agent), ...this.after.ownServers(agent)]);
    return [...own].map((id) => this.servers.get(id)).filter((server) => server !== undefined);
  }

  private sharedCounts(agent: Id): SharedCounts {
    const kind = this.kindOf(agent);
    const known = this.shared.get(kind);
    if (known !== undefined) return known;
    const [tables, all, byServer] = [this.tablesOf(agent, true), { gained: 0, lost: 0, conditional: 0 }, new Map<Id, Counts>()];
    for (const server of this.servers.values()) {
      const shifts = this.shiftsAt(server, tables);
      if (shifts.length === 0) continue;
      const counts = countsIn(shifts);
      byServer.set(server.id, counts);
      add(all, counts, 1);
    }
    const counted = { all, byServer };
    this.shared.set(kind, counted);
    return counted;
  }

  /** How access differs at one server, of one kind of targets or all, for all agents that have these rules there. */
  private shiftsAt({ slug, before, after }: ServerPair, tables: Tables, targets?: TargetKind): [ShiftKind, Shift][] {
    const isSilent = (table: PolicyTable | undefined, server: PolicyServer | undefined): boolean =>
      table === undefined || server === undefined || table.rulesOf(server).size === 0;
    if (isSilent(tables.before, before) && isSilent(tables.after, after)) return [];
    const shifts: [ShiftKind, Shift][] = [];
    const [served, willBeServed] = [servedTargets(before), servedTargets(after)];
    for (const [key, target] of served === willBeServed ? served : new Map([...served, ...willBeServed])) {
      if (targets !== undefined && target.kind !== targets) continue;
      const [had, has] = [served.get(key), willBeServed.get(key)];
      const was = had && decided(tables.before, before, had, this.now);
      const is = has && decided(tables.after, after, has, this.now);
      const kind = this.shiftKind(was, is);
      if (kind === undefined) continue;
      const effects = { before: was?.effect ?? 'deny', after: is?.effect ?? 'deny' } as const;
      const grants = { grantBefore: was?.grantId ?? null, grantAfter: is?.grantId ?? null };
      shifts.push([kind, { kind: target.kind, ref: `${slug}:${target.name}`, ...effects, ...grants }]);
    }
    return shifts;
  }

  private shiftKind(before: Decision | undefined, after: Decision | undefined): ShiftKind | undefined {
    const [was, is] = [before?.effect ?? 'deny', after?.effect ?? 'deny'];
    if (was === 'deny') return is === 'deny' ? undefined : 'gained';
    if (is === 'deny') return 'lost';
    if (was !== is) return 'conditional';
    if (is !== 'conditional') return undefined;
    const ids = (decision: Decision | undefined): string => (decision?.reasons ?? []).map(({ code, grantId }) => `${code} ${grantId ?? ''}`).join();
    const isSame = ids(before) === ids(after) && !(after?.reasons ?? []).some(({ grantId }) => grantId !== null && this.changedGrants.has(grantId));
    return isSame ? undefined : 'conditional';
  }
}

/** The decision about something that is offered; without a table, or a server, there is none. */
export function decided(table: PolicyTable | undefined, server: PolicyServer | undefined, target: ServedTarget, now: number): Decision | undefined {
  return table === undefined || server === undefined ? undefined : decide(table, { ...target, server }, undefined, now);
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Behind which item a list goes on: agent, kind, reference. */
export type Place = readonly [agent: string, kind: string, ref: string];

const kindsInOrder = TargetKind.options.toSorted(byText);

function add(sum: Counts, counts: Readonly<Counts>, times: 1 | -1): void {
  for (const kind of shiftKinds) sum[kind] += times * counts[kind];
}

function countsIn(shifts: readonly (readonly [ShiftKind, Shift])[]): Counts {
  const counts = { gained: 0, lost: 0, conditional: 0 };
  for (const [kind] of shifts) counts[kind] += 1;
  return counts;
}

/** In the order of what they offer, `slug:name`. */
function paired(before: readonly PolicyServer[], after: readonly PolicyServer[]): ReadonlyMap<Id, ServerPair> {
  const [was, is] = [new Map(before.map((server) => [server.id, server])), new Map(after.map((server) => [server.id, server]))];
  const pairs = [...new Map([...was, ...is])].map(([id, { slug }]) => ({ id, slug, before: was.get(id), after: is.get(id) }));
  return new Map(pairs.sort((a, b) => byText(`${a.slug}:`, `${b.slug}:`)).map((pair) => [pair.id, pair]));
}
