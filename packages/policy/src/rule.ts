import type { PinnedArguments, TargetSelector } from '@portcullis/contracts/grants';
import type { Id, TargetKind } from '@portcullis/contracts/names';
import type { GrantEntry } from '@portcullis/contracts/snapshot';
import { compileCondition, type Condition } from './condition.js';
import { reasonCodes, type Decision, type Reason } from './decision.js';
import { compileGlob, isGlob, type GlobMatcher } from './glob.js';
import { deniedForm } from './resource-uri.js';

/** One grant as a table keeps it, with the decision it would make ready-made: deciding allocates nothing. */
export interface Rule {
  readonly grantId: Id;
  readonly effect: 'allow' | 'deny';
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly decision: Decision;
  /** What a tool must say about itself for the rule to be about it; null for whatever it says. */
  readonly annotations: NonNullable<TargetSelector['annotations']> | null;
  readonly condition: Condition | null;
  readonly pinned: PinnedArguments | null;
}

/** The rules that one name or glob leads to, each list in the order in which they speak: those that need no arguments, and those that weigh them. */
export interface RuleSet {
  readonly denies: readonly Rule[];
  readonly allows: readonly Rule[];
  readonly termed: readonly Rule[];
}

/** The rules of one kind of target on one server. */
export interface TargetRules {
  readonly exact: ReadonlyMap<string, RuleSet>;
  readonly globs: readonly (RuleSet & { readonly matches: GlobMatcher })[];
  /** Whether any rule weighs arguments. */
  readonly hasTerms: boolean;
}

export type ServerRules = ReadonlyMap<TargetKind, TargetRules>;

/** Of several rules that agree, which speaks: one without a rate limit, then the one with the lowest grant id. */
export function speaksBefore(one: Rule, other: Rule): boolean {
  const [limited, otherLimited] = [one.decision.rateLimit !== null, other.decision.rateLimit !== null];
  return limited === otherLimited ? one.grantId < other.grantId : otherLimited;
}

export const inSpeakingOrder = (one: Rule, other: Rule): number => (speaksBefore(one, other) ? -1 : 1);

const rules = new WeakMap<GrantEntry, Rule>();

/** A grant's rule, made once for all tables it is in. */
function ruleOf(grant: GrantEntry): Rule {
  let rule = rules.get(grant);
  if (rule === undefined) {
    rule = compileRule(grant);
    rules.set(grant, rule);
  }
  return rule;
}

function compileRule(grant: GrantEntry): Rule {
  const allows = grant.effect === 'allow';
  const reason: Reason = { code: allows ? reasonCodes.granted : reasonCodes.deniedByGrant, grantId: grant.id };
  const pinned = grant.pinned ?? null;
  return {
    grantId: grant.id,
    effect: grant.effect,
    notBefore: grant.notBefore ?? -Infinity,
    expiresAt: grant.expiresAt ?? Infinity,
    annotations: ('selector' in grant.target ? grant.target.selector.annotations : undefined) ?? null,
    condition: grant.condition === undefined ? null : conditionOf(grant.condition),
    pinned,
    decision: Object.freeze({
      effect: grant.effect,
      reasons: Object.freeze([reason]),
      grantId: grant.id,
      refused: allows ? null : 'target',
      pinned,
      rateLimit: grant.rateLimit ?? null,
    }),
  };
}

/** A text that this version cannot read is one that cannot be said of any arguments. */
const conditionOf = (text: string): Condition => compileCondition(text).condition ?? (() => undefined);

/** Compiles the grants of one server, which are in order of id. */
export function compileServerRules(grants: readonly GrantEntry[]): ServerRules {
  const kinds = Map.groupBy(grants, ({ kind }) => kind);
  return new Map([...kinds].map(([kind, ofKind]) => [kind, compileTargetRules(ofKind)]));
}

/** A denied URI is also found by what it is compared by. */
function spelledNames({ names, kind, effect }: GrantEntry): readonly string[] {
  if (kind !== 'resources' || effect !== 'deny') return names;
  return names.flatMap((name) => (isGlob(name) ? [name] : [name, deniedForm(name)]));
}

function compileTargetRules(grants: readonly GrantEntry[]): TargetRules {
  const byName = new Map<string, { denies: Rule[]; allows: Rule[]; termed: Rule[] }>();
  let hasTerms = false;
  for (const grant of grants) {
    const rule = ruleOf(grant);
    const isTermed = rule.condition !== null || rule.pinned !== null;
    hasTerms ||= isTermed;
    for (const name of new Set(spelledNames(grant))) {
      let set = byName.get(name);
      if (set === undefined) byName.set(name, (set = { denies: [], allows: [], termed: [] }));
      if (isTermed) set.termed.push(rule);
      else (rule.effect === 'allow' ? set.allows : set.denies).push(rule);
    }
  }
  const named = [...byName];
  for (const [, set] of named) set.allows.sort(inSpeakingOrder);
  return {
    exact: new Map(named.filter(([name]) => !isGlob(name))),
    globs: named.filter(([name]) => isGlob(name)).map(([name, set]) => ({ ...set, matches: compileGlob(name) })),
    hasTerms,
  };
}
