import { ANSWER_BYTES_USUAL, type AnswerAction, type AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import { compileGlob } from './glob.js';
import { globCovers } from './glob-relations.js';

type Rule = AnswerRulesEntry['rules'][number];

/** Rules that only log let everything pass. */
const STRICTNESS: Readonly<Record<AnswerAction, number>> = { log: 0, redact: 1, block: 2 };

/**
 * Names, or globs of names, at one server under which an agent of this slug may get more of what is answered than before. Nothing of which it may get
 * more is ever left out; where it cannot be told cheaply, what may be more counts as more.
 */
export function loosenedAnswers(before: AnswerRulesEntry | undefined, after: AnswerRulesEntry | undefined, agent: string): readonly string[] {
  const was = holdingRules(before, agent);
  if (was.length === 0) return [];
  const is = holdingRules(after, agent);
  // What is longer is refused while a rule holds answers.
  const isLonger = (after?.bytesMax ?? ANSWER_BYTES_USUAL) > (before?.bytesMax ?? ANSWER_BYTES_USUAL);
  return was.flatMap((old) => old.names.filter((name) => isLonger || !isKept(old, name, is)));
}

const holdingRules = (rules: AnswerRulesEntry | undefined, agent: string): readonly Rule[] =>
  (rules?.rules ?? []).filter(
    ({ action, agents }) => STRICTNESS[action] > STRICTNESS.log && (agents === undefined || agents.some((glob) => compileGlob(glob)(agent))),
  );

/** Whether all that the rule looked for under this name is still looked for, by one rule or by several, and taken no less strictly. */
function isKept({ action, secrets, texts = [], paths = [] }: Rule, name: string, rules: readonly Rule[]): boolean {
  const here = rules.filter((rule) => STRICTNESS[rule.action] >= STRICTNESS[action] && rule.names.some((glob) => globCovers(glob, name)));
  // Without one, what is too long is no longer refused.
  if (here.length === 0) return false;
  const keepsSecrets = secrets !== true || here.some((rule) => rule.secrets === true);
  const keeps = (member: 'texts' | 'paths', wanted: readonly string[]): boolean => {
    const known = new Set(here.flatMap((rule) => rule[member] ?? []));
    return wanted.every((one) => known.has(one));
  };
  return keepsSecrets && keeps('texts', texts) && keeps('paths', paths);
}
