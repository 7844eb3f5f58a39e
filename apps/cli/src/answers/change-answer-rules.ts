import type { AnswerAction, AnswerRules } from '@portcullis/contracts/answer-rules';

export type AnswerRule = AnswerRules['rules'][number];

/** The rules with this one: in the place of one with the same names, agents and action, else behind the others. `bytesMax` where that is to be another. */
export function changeAnswerRules(before: AnswerRules | null, rule: AnswerRule, bytesMax?: number): AnswerRules {
  const rules = before?.rules ?? [];
  const place = rules.findIndex((one) => keyOf(one) === keyOf(rule));
  const changed = place < 0 ? [...rules, rule] : rules.with(place, rule);
  return { ...before, ...(bytesMax !== undefined && { bytesMax }), rules: changed };
}

/** The rules without those for just this name or glob, or without all where none is given; only those of one action where one is given. Null where none are left. */
export function clearAnswerRules(before: AnswerRules | null, names: string | undefined, action?: AnswerAction): AnswerRules | null {
  if (before === null) return null;
  const goes = (rule: AnswerRule): boolean =>
    (names === undefined || (rule.names.length === 1 && rule.names[0] === names)) && (action === undefined || rule.action === action);
  const rules = before.rules.filter((rule) => !goes(rule));
  return rules.length === 0 ? null : { ...before, rules };
}

const keyOf = ({ names, agents = [], action }: AnswerRule): string => JSON.stringify([names.toSorted(), agents.toSorted(), action]);
