import { AnswerRules } from '@portcullis/contracts/answer-rules';
import { expect, test } from 'vitest';
import { changeAnswerRules, clearAnswerRules, type AnswerRule } from './change-answer-rules.js';
import { describeAnswerRules } from './describe-answer-rules.js';

const secrets: AnswerRule = { names: ['*'], action: 'redact', secrets: true };
const texts: AnswerRule = { names: ['query'], agents: ['support-*'], action: 'block', texts: ['ACME-*'], paths: ['/customer/ssn'] };

test('a rule is added behind the others, and takes the place of the one with the same names, agents and action', () => {
  const both = changeAnswerRules(changeAnswerRules(null, secrets), texts, 2048);
  expect(both).toEqual({ bytesMax: 2048, rules: [secrets, texts] });
  const other = { ...texts, texts: ['ACME-1*'] };
  expect(changeAnswerRules(both, other)).toEqual({ bytesMax: 2048, rules: [secrets, other] });
  expect(changeAnswerRules(both, { ...texts, action: 'log' }).rules).toHaveLength(3);
  expect(changeAnswerRules(both, { ...texts, agents: ['sales'] }).rules).toHaveLength(3);
  expect(AnswerRules.safeParse(both).success).toBe(true);
  expect(describeAnswerRules('crm', both)).toEqual([
    'At crm:',
    '  *: redact secrets',
    '  query, for support-*: block "ACME-*", /customer/ssn',
    '  Answers that are redacted or blocked by a rule are refused beyond 2048 bytes.',
  ]);
});

test('what is cleared is gone, and nothing else', () => {
  const both = { rules: [secrets, texts] };
  expect(clearAnswerRules(both, 'query')).toEqual({ rules: [secrets] });
  expect(clearAnswerRules(both, 'query', 'redact')).toEqual(both);
  expect(clearAnswerRules(both, undefined, 'block')).toEqual({ rules: [secrets] });
  expect([clearAnswerRules(both, undefined), clearAnswerRules({ rules: [texts] }, 'query'), clearAnswerRules(null, 'x')]).toEqual([null, null, null]);
  expect(describeAnswerRules('crm', null)).toEqual(['At crm: every answer passes.']);
});
