import type { PinnedArguments } from '@portcullis/contracts/grants';
import type { ConditionInput } from './condition.js';
import { toConditionArgs } from './condition-values.js';
import { reasonCodes, type Decision, type JsonObject, type Reason, type ReasonCode, type Target } from './decision.js';
import type { Rule } from './rule.js';

/** What arguments decide between: grants that allow, the first whose terms hold speaking, and conditional ones that deny. */
export interface Weighed {
  readonly allows: readonly Rule[];
  readonly denies: readonly Rule[];
}

/** Decides by the arguments exactly as they would be forwarded, pinned ones included. */
export function weighArguments({ allows, denies }: Weighed, args: JsonObject, about: { target: Target; agent: string }): Decision {
  const reasons: Reason[] = [];
  const refuse = (code: ReasonCode, { grantId }: Rule): void => void reasons.push({ code, grantId });
  for (const rule of allows) {
    const forwarded = withPinned(args, rule.pinned);
    if (forwarded === undefined) {
      refuse(reasonCodes.pinnedArgument, rule);
      continue;
    }
    const input = inputOf(forwarded, about);
    const holds = rule.condition === null || rule.condition(input);
    if (holds !== true) {
      refuse(holds === false ? reasonCodes.conditionFalse : reasonCodes.conditionError, rule);
      continue;
    }
    const denying = denies.find(({ condition }) => condition?.(input) !== false);
    if (denying === undefined) return rule.decision;
    const code = denying.condition?.(input) === true ? reasonCodes.deniedByCondition : reasonCodes.conditionError;
    reasons.unshift({ code, grantId: denying.grantId });
    break;
  }
  return { effect: 'deny', reasons, grantId: reasons[0]?.grantId ?? null, refused: 'arguments', pinned: null, rateLimit: null };
}

function inputOf(args: JsonObject, { target, agent }: { target: Target; agent: string }): ConditionInput {
  return { args: toConditionArgs(args), tool: target.name, server: target.server.slug, agent };
}

/** The arguments with those that are pinned; undefined where one of them was sent with another value. */
export function withPinned(args: JsonObject, pinned: PinnedArguments | null): JsonObject | undefined {
  if (pinned === null) return args;
  for (const [name, value] of Object.entries(pinned)) {
    if (Object.hasOwn(args, name) && !sameJson(args[name], value)) return undefined;
  }
  return { ...args, ...pinned };
}

function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && sameJson(Reflect.get(one, key), Reflect.get(other, key)));
}
