import { reasonCodes, type Decision, type JsonObject, type Reason, type ReasonCode, type Target } from './decision.js';
import type { PolicyTable, Rule, RuleSet } from './policy-table.js';

/**
 * Decides one target at one moment (epoch milliseconds). Silence is deny and deny beats allow; a grant is in force from `notBefore` until just
 * before `expiresAt`. Never throws. Constant time for exact names, plus linear time per glob of the same server and kind.
 * Lists show what is not denied, so a listed target is never refused as unknown. `_args` is for argument constraints (`conditional`).
 */
export function decide(table: PolicyTable, target: Target, _args: JsonObject | undefined, now: number): Decision {
  if (!table.agentEnabled) return AGENT_DISABLED;
  const rules = table.servers.get(target.serverId)?.get(target.kind);
  if (rules === undefined) return NO_GRANT;
  const exact = rules.exact.get(target.name);
  let denying = exact && firstInForce(exact.denies, now);
  let allowing = exact && firstInForce(exact.allows, now);
  for (const glob of rules.globs) {
    if (!glob.matches(target.name)) continue;
    denying = lower(denying, firstInForce(glob.denies, now));
    allowing = lower(allowing, firstInForce(glob.allows, now));
  }
  const deciding = denying ?? allowing;
  if (deciding !== undefined) return deciding.decision;
  const matched = rules.globs.filter((glob) => glob.matches(target.name));
  return outOfForce(exact === undefined ? matched : [exact, ...matched], now);
}

/**
 * The first moment after `now` (epoch milliseconds) at which some decision of this table may differ, null when there is none. What was derived
 * from decisions at `now` holds until then.
 */
export function nextChangeAt(table: PolicyTable, now: number): number | null {
  return table.changeTimes.find((time) => time > now) ?? null;
}

const refusal = (code: ReasonCode): Decision => Object.freeze({ effect: 'deny', reasons: Object.freeze([{ code, grantId: null }]), grantId: null });
const NO_GRANT = refusal(reasonCodes.noGrant);
const AGENT_DISABLED = refusal(reasonCodes.agentDisabled);

const firstInForce = (rules: readonly Rule[], now: number): Rule | undefined => rules.find((rule) => rule.notBefore <= now && now < rule.expiresAt);

/** Of several rules that agree, the one with the lowest grant id speaks: the answer depends on the set of grants alone. */
function lower(one: Rule | undefined, other: Rule | undefined): Rule | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.grantId < one.grantId ? other : one;
}

/** Nothing is in force: says which allowing grants would have been, at another time. */
function outOfForce(matched: readonly RuleSet[], now: number): Decision {
  const allows = new Map(matched.flatMap((rules) => rules.allows).map((rule) => [rule.grantId, rule]));
  if (allows.size === 0) return NO_GRANT;
  const sorted = [...allows.values()].sort((a, b) => (a.grantId < b.grantId ? -1 : 1));
  const reasons = sorted.map((rule): Reason => {
    const expired = now >= rule.expiresAt;
    return { code: expired ? reasonCodes.expired : reasonCodes.notYetValid, grantId: rule.grantId };
  });
  return { effect: 'deny', reasons, grantId: null };
}
