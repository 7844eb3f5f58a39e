import type { PinnedArguments } from '@portcullis/contracts/grants';
import { reasonCodes, type Decision, type JsonObject, type Reason, type ReasonCode, type Target } from './decision.js';
import type { PolicyTable } from './policy-table.js';
import { deniedForm } from './resource-uri.js';
import { inSpeakingOrder, speaksBefore, type Rule, type RuleSet, type TargetRules } from './rule.js';
import { hintsOf, selectsHints } from './selector.js';
import { weighArguments, type Weighed } from './weigh-arguments.js';

/**
 * Decides one target at one moment (epoch milliseconds). Silence is deny and deny beats allow; a grant is in force from `notBefore` until just
 * before `expiresAt`. Never throws. Constant time for exact names, plus linear time per glob of the same server and kind, plus the conditions of the
 * grants that match. Without `args` it says `conditional` where they will decide; lists show that too, so a listed target is never refused as
 * unknown.
 */
export function decide(table: PolicyTable, target: Target, args: JsonObject | undefined, now: number): Decision {
  if (!table.agentEnabled) return AGENT_DISABLED;
  if (table.within !== undefined && !table.within(target)) return OUTSIDE_TASK;
  const rules = table.rulesOf(target.server).get(target.kind);
  if (rules === undefined) return NO_GRANT;
  const exact = rules.exact.get(target.name);
  let denying = exact && firstCounting(exact.denies, target, now);
  let allowing = exact && firstCounting(exact.allows, target, now);
  for (const glob of rules.globs) {
    if (!glob.matches(target.name)) continue;
    denying = firstToSpeak(denying, firstCounting(glob.denies, target, now));
    allowing = firstToSpeak(allowing, firstCounting(glob.allows, target, now));
  }
  if (target.uri !== undefined)
    for (const set of matchingUri(rules, target.uri)) denying = firstToSpeak(denying, firstCounting(set.denies, target, now));
  if (denying !== undefined) return denying.decision;
  if (!rules.hasTerms) return allowing?.decision ?? outOfForce(rules, target, now);
  const weighed = weighedBy(rules, { target, now, allowing });
  if (weighed.allows.length === 0) return outOfForce(rules, target, now);
  if (allowing !== undefined && weighed.denies.length === 0) return allowing.decision;
  if (args === undefined) return conditional(weighed);
  return weighArguments(weighed, args, { target, agent: table.agentSlug });
}

/** Where the grants in the mode `shadow`, enforced together, would have decided otherwise: that decision; undefined where they would not. */
export function shadowDecision(table: PolicyTable, target: Target, args: JsonObject | undefined, at: { now: number; decision: Decision }) {
  if (table.trial === undefined) return undefined;
  const trial = decide(table.trial, target, args, at.now);
  return trial.effect === at.decision.effect ? undefined : trial;
}

/**
 * The names of arguments that an agent is not shown: those that every grant by which it might call the target pins to the same value. Empty where an
 * allowing grant pins nothing.
 */
export function pinnedArguments(table: PolicyTable, target: Target, now: number): readonly string[] {
  const rules = table.rulesOf(target.server).get(target.kind);
  if (rules === undefined || !rules.hasTerms) return [];
  if (matching(rules, target.name).some(({ allows }) => firstCounting(allows, target, now) !== undefined)) return [];
  const [first, ...others] = weighedBy(rules, { target, now, allowing: undefined }).allows.map(({ pinned }) => pinned ?? {});
  const alike = (one: PinnedArguments, name: string): boolean => JSON.stringify(one[name]) === JSON.stringify(first?.[name]);
  return Object.keys(first ?? {}).filter((name) => others.every((other) => Object.hasOwn(other, name) && alike(other, name)));
}

/**
 * The first moment after `now` (epoch milliseconds) at which some decision of this table may differ, null when there is none. What was derived
 * from decisions at `now` holds until then.
 */
export function nextChangeAt(table: PolicyTable, now: number): number | null {
  return table.changeTimes.find((time) => time > now) ?? null;
}

const refusal = (code: ReasonCode): Decision =>
  Object.freeze({
    effect: 'deny',
    reasons: Object.freeze([{ code, grantId: null }]),
    grantId: null,
    refused: 'target',
    pinned: null,
    rateLimit: null,
  });
const NO_GRANT = refusal(reasonCodes.noGrant);
const OUTSIDE_TASK = refusal(reasonCodes.outsideTask);
const AGENT_DISABLED = refusal(reasonCodes.agentDisabled);

const isInForce = (rule: Rule, now: number): boolean => rule.notBefore <= now && now < rule.expiresAt;

const isAboutTool = (rule: Rule, target: Target): boolean =>
  rule.annotations === null || (target.kind === 'tools' && selectsHints(rule.annotations, hintsOf(target.definition)));

const counts = (rule: Rule, target: Target, now: number): boolean => isInForce(rule, now) && isAboutTool(rule, target);

const firstCounting = (rules: readonly Rule[], target: Target, now: number): Rule | undefined => rules.find((rule) => counts(rule, target, now));

/** Of several rules that agree always the same speaks: the answer depends on the set of grants alone. */
function firstToSpeak(one: Rule | undefined, other: Rule | undefined): Rule | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return speaksBefore(other, one) ? other : one;
}

function matching(rules: TargetRules, name: string): readonly RuleSet[] {
  const exact = rules.exact.get(name);
  const globs = rules.globs.filter((glob) => glob.matches(name));
  return exact === undefined ? globs : [exact, ...globs];
}

/** What is about a URI by its own name, however it is spelled there. */
function matchingUri(rules: TargetRules, uri: string): readonly RuleSet[] {
  const read = deniedForm(uri);
  return read === uri ? matching(rules, uri) : [...matching(rules, uri), ...matching(rules, read)];
}

/** In the order in which they speak and each once, by whatever names it matches. */
function unique(rules: readonly Rule[]): Rule[] {
  return [...new Set(rules)].sort(inSpeakingOrder);
}

/** What the arguments have to decide. A grant that allows whatever they are leaves nothing to those with terms. */
function weighedBy(rules: TargetRules, { target, now, allowing }: { target: Target; now: number; allowing: Rule | undefined }): Weighed {
  const termedOf = (sets: readonly RuleSet[], of: Rule['effect']): Rule[] =>
    unique(sets.flatMap((set) => set.termed)).filter((rule) => rule.effect === of && counts(rule, target, now));
  const sets = matching(rules, target.name);
  return {
    allows: allowing === undefined ? termedOf(sets, 'allow') : [allowing],
    denies: termedOf(target.uri === undefined ? sets : [...sets, ...matchingUri(rules, target.uri)], 'deny'),
  };
}

function conditional({ allows, denies }: Weighed): Decision {
  const reasons = [...allows, ...denies].map(({ grantId }): Reason => ({ code: reasonCodes.conditional, grantId }));
  return { effect: 'conditional', reasons, grantId: allows[0]?.grantId ?? null, refused: null, pinned: null, rateLimit: null };
}

/** Nothing is in force: says which allowing grants would have been, at another time. */
function outOfForce(rules: TargetRules, target: Target, now: number): Decision {
  const sets = matching(rules, target.name);
  const allows = unique(sets.flatMap((set) => [...set.allows, ...set.termed.filter(({ effect }) => effect === 'allow')]));
  const about = allows.filter((rule) => isAboutTool(rule, target));
  if (about.length === 0) return NO_GRANT;
  const reasons = about.map((rule): Reason => {
    const expired = now >= rule.expiresAt;
    return { code: expired ? reasonCodes.expired : reasonCodes.notYetValid, grantId: rule.grantId };
  });
  return { effect: 'deny', reasons, grantId: null, refused: 'target', pinned: null, rateLimit: null };
}
