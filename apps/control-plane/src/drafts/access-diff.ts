import type { AccessShift } from '@portcullis/contracts/api/drafts';
import type { Id, Slug } from '@portcullis/contracts/names';
import { decide, type Decision, type PolicyTable } from '@portcullis/policy';
import type { PolicyServer } from '../policy/policy.repository.js';
import { AgentRules } from './agent-rules.js';
import { servedTargets, type PolicyView, type ServedTarget } from './policy-view.js';

export const shiftKinds = ['gained', 'lost', 'conditional'] as const;
export type ShiftKind = (typeof shiftKinds)[number];

/** How access differs at one server, for all agents that have the same rules there. */
type ServerShifts = Readonly<Record<ShiftKind, readonly Omit<AccessShift, 'agent'>[]>>;

interface ServerPair {
  readonly id: Id;
  readonly slug: Slug;
  readonly before: PolicyServer | undefined;
  readonly after: PolicyServer | undefined;
}

/**
 * How access differs between two states of policy at one moment, agent by agent. Pure. Rules that many agents share are decided once for all
 * of them; only where an agent has grants of its own it is looked at alone.
 */
export class AccessDiff {
  private readonly before: AgentRules;
  private readonly after: AgentRules;
  private readonly servers: readonly ServerPair[];
  private readonly agents: readonly { readonly id: Id; readonly slug: Slug }[];
  private readonly shared = new Map<string, ReadonlyMap<Id, ServerShifts>>();
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

  /** How many agents gain, lose or change how many things. */
  counts(): Record<ShiftKind, number> {
    const counts = { gained: 0, lost: 0, conditional: 0 };
    for (const { id } of this.agents) {
      const own = this.countsOf(id);
      for (const kind of shiftKinds) counts[kind] += own[kind];
    }
    return counts;
  }

  countsOf(agent: Id): Record<ShiftKind, number> {
    const counts = { gained: 0, lost: 0, conditional: 0 };
    for (const shifts of this.shiftsOf(agent).values()) for (const kind of shiftKinds) counts[kind] += shifts[kind].length;
    return counts;
  }

  /** One kind of difference in order of agent, kind and reference, from behind `after` on, one more than asked for. */
  list(kind: ShiftKind, after: readonly [string, string, string] | undefined, limit: number): AccessShift[] {
    const items: AccessShift[] = [];
    for (const { id, slug } of this.agents) {
      if (after !== undefined && slug < after[0]) continue;
      const own = [...this.shiftsOf(id).values()].flatMap((shifts) => shifts[kind]).map((shift) => ({ agent: slug, ...shift }));
      own.sort((a, b) => byText(a.kind, b.kind) || byText(a.ref, b.ref));
      items.push(...own.filter((shift) => after === undefined || slug !== after[0] || isBehind(shift, after)));
      if (items.length > limit) break;
    }
    return items.slice(0, limit + 1);
  }

  private shiftsOf(agent: Id): ReadonlyMap<Id, ServerShifts> {
    const kind = `${this.before.kindOf(agent)} | ${this.after.kindOf(agent)}`;
    let shared = this.shared.get(kind);
    if (shared === undefined) {
      shared = this.differing(this.servers, this.before.tableOf(agent, true), this.after.tableOf(agent, true));
      this.shared.set(kind, shared);
    }
    const own = new Set([...this.before.ownServers(agent), ...this.after.ownServers(agent)]);
    const alone = this.servers.filter(({ id }) => own.has(id));
    if (alone.length === 0) return shared;
    const shifts = this.differing(alone, this.before.tableOf(agent, false), this.after.tableOf(agent, false));
    return new Map([...[...shared].filter(([id]) => !own.has(id)), ...shifts]);
  }

  private differing(servers: readonly ServerPair[], before: PolicyTable | undefined, after: PolicyTable | undefined): ReadonlyMap<Id, ServerShifts> {
    const found = new Map<Id, ServerShifts>();
    for (const server of servers) {
      const shifts = this.atServer(server, before, after);
      if (shiftKinds.some((kind) => shifts[kind].length > 0)) found.set(server.id, shifts);
    }
    return found;
  }

  private atServer(server: ServerPair, before: PolicyTable | undefined, after: PolicyTable | undefined): ServerShifts {
    const shifts: Record<ShiftKind, Omit<AccessShift, 'agent'>[]> = { gained: [], lost: [], conditional: [] };
    const [served, willBeServed] = [servedTargets(server.before), servedTargets(server.after)];
    for (const [key, target] of new Map([...served, ...willBeServed])) {
      const was = decided(served.has(key) ? before : undefined, server.before, target, this.now);
      const is = decided(willBeServed.has(key) ? after : undefined, server.after, target, this.now);
      const kind = this.shiftKind(was, is);
      if (kind === undefined) continue;
      const effects = { before: was?.effect ?? 'deny', after: is?.effect ?? 'deny' } as const;
      const grants = { grantBefore: was?.grantId ?? null, grantAfter: is?.grantId ?? null };
      shifts[kind].push({ kind: target.kind, ref: `${server.slug}:${target.name}`, ...effects, ...grants });
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

const isBehind = ({ kind, ref }: AccessShift, after: readonly [string, string, string]): boolean =>
  (byText(kind, after[1]) || byText(ref, after[2])) > 0;

function paired(before: readonly PolicyServer[], after: readonly PolicyServer[]): readonly ServerPair[] {
  const [was, is] = [new Map(before.map((server) => [server.id, server])), new Map(after.map((server) => [server.id, server]))];
  return [...new Map([...was, ...is])]
    .map(([id, { slug }]) => ({ id, slug, before: was.get(id), after: is.get(id) }))
    .sort((a, b) => byText(a.slug, b.slug));
}
