import { ANSWER_BYTES_USUAL, type AnswerRules } from '@portcullis/contracts/answer-rules';
import { plainText } from '../plain-text.js';
import type { AnswerRule } from './change-answer-rules.js';

/** What becomes of what a server answers. */
export function describeAnswerRules(slug: string, rules: AnswerRules | null): string[] {
  if (rules === null) return [`At ${slug}: every answer passes.`];
  const { bytesMax = ANSWER_BYTES_USUAL } = rules;
  const held = rules.rules.some(({ action }) => action !== 'log');
  return [
    `At ${slug}:`,
    ...rules.rules.map((rule) => `  ${ruleText(rule)}`),
    ...(held ? [`  Answers that are redacted or blocked by a rule are refused beyond ${bytesMax} bytes.`] : []),
  ];
}

function ruleText({ names, agents, action, secrets, texts = [], paths = [] }: AnswerRule): string {
  const whose = agents === undefined ? '' : `, for ${listed(agents)}`;
  const found = [secrets === true ? ['secrets'] : [], texts.map((text) => `"${plainText(text)}"`), paths.map((path) => plainText(path))].flat();
  return `${listed(names)}${whose}: ${action} ${found.join(', ')}`;
}

const listed = (names: readonly string[]): string => names.map((name) => plainText(name, 120)).join(', ');
