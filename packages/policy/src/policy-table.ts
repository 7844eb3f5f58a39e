import type { Id, TargetKind } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { reasonCodes, type Decision, type Reason } from './decision.js';
import { compileGlob, isGlob, type GlobMatcher } from './glob.js';

/** One grant as the table keeps it, with the decision it would make ready-made: deciding allocates nothing. */
export interface Rule {
  readonly grantId: Id;
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly decision: Decision;
}

/** The rules that one name or glob leads to, denying and allowing apart, each in order of grant id. */
export interface RuleSet {
  readonly denies: readonly Rule[];
  readonly allows: readonly Rule[];
}

/** The rules of one kind of target on one server. */
export interface TargetRules {
  readonly exact: ReadonlyMap<string, RuleSet>;
  readonly globs: readonly (RuleSet & { readonly matches: GlobMatcher })[];
}

/** Everything one agent may and may not do, compiled once for many decisions. Immutable. */
export interface PolicyTable {
  readonly agentId: Id;
  readonly agentEnabled: boolean;
  readonly servers: ReadonlyMap<Id, ReadonlyMap<TargetKind, TargetRules>>;
  /** Every moment at which a grant starts or ends, ascending, epoch milliseconds. */
  readonly changeTimes: readonly number[];
}

/** Whether a grant speaks to this agent, by itself or through one of its groups. */
export function concerns(agent: AgentEntry, grant: GrantEntry): boolean {
  return 'agentId' in grant.subject ? grant.subject.agentId === agent.id : agent.groupIds.includes(grant.subject.groupId);
}

/** The server a grant names; none for one with a selector. */
export const serverIdOf = ({ target }: GrantEntry): Id | undefined => ('serverId' in target ? target.serverId : undefined);

/** A grant whose terms are not weighed yet must not allow anything. */
const counts = ({ effect, mode, condition, pinned }: GrantEntry): boolean =>
  mode !== 'shadow' && (effect === 'deny' || (condition === undefined && pinned === undefined));

/** The grants of an agent and of each of its groups, from a snapshot's grants by subject. */
export function grantsFor(agent: AgentEntry, grantsBySubject: ReadonlyMap<Id, readonly GrantEntry[]>): readonly GrantEntry[] {
  const subjects = new Set([agent.id, ...agent.groupIds]);
  return [...subjects].flatMap((subject) => grantsBySubject.get(subject) ?? []);
}

/** Compiles an agent's grants. Grants of other subjects are left out, so a wrong selection can never add access. */
export function compileTable({ agent, grants }: { agent: AgentEntry; grants: readonly GrantEntry[] }): PolicyTable {
  const own = inOrder(grants.filter((grant) => concerns(agent, grant) && counts(grant)));
  const servers = new Map(
    [...grouped(own, serverIdOf)].flatMap(([serverId, ofServer]) => {
      if (serverId === undefined) return [];
      const kinds = grouped(ofServer, (grant) => grant.kind);
      return [[serverId, new Map([...kinds].map(([kind, ofKind]) => [kind, compileRules(ofKind)]))] as const];
    }),
  );
  const times = own.flatMap((grant) => [grant.notBefore, grant.expiresAt]).filter((time) => time !== null);
  return { agentId: agent.id, agentEnabled: agent.enabled, servers, changeTimes: [...new Set(times)].sort((a, b) => a - b) };
}

/** By id, so that the order in which grants come never shows in a decision. */
export function inOrder(grants: readonly GrantEntry[]): readonly GrantEntry[] {
  return grants.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function grouped<Key>(grants: readonly GrantEntry[], keyOf: (grant: GrantEntry) => Key): ReadonlyMap<Key, readonly GrantEntry[]> {
  const groups = new Map<Key, GrantEntry[]>();
  for (const grant of grants) {
    const group = groups.get(keyOf(grant));
    if (group === undefined) groups.set(keyOf(grant), [grant]);
    else group.push(grant);
  }
  return groups;
}

function compileRules(grants: readonly GrantEntry[]): TargetRules {
  const byName = new Map<string, { denies: Rule[]; allows: Rule[] }>();
  for (const grant of grants) {
    const rule = compileRule(grant);
    for (const name of new Set(grant.names)) {
      const rules = byName.get(name) ?? { denies: [], allows: [] };
      byName.set(name, rules);
      (grant.effect === 'allow' ? rules.allows : rules.denies).push(rule);
    }
  }
  const named = [...byName];
  return {
    exact: new Map(named.filter(([name]) => !isGlob(name))),
    globs: named.filter(([name]) => isGlob(name)).map(([name, rules]) => ({ ...rules, matches: compileGlob(name) })),
  };
}

function compileRule(grant: GrantEntry): Rule {
  const allows = grant.effect === 'allow';
  const reason: Reason = { code: allows ? reasonCodes.granted : reasonCodes.deniedByGrant, grantId: grant.id };
  return {
    grantId: grant.id,
    notBefore: grant.notBefore ?? -Infinity,
    expiresAt: grant.expiresAt ?? Infinity,
    decision: Object.freeze({ effect: allows ? 'allow' : 'deny', reasons: Object.freeze([reason]), grantId: grant.id }),
  };
}
