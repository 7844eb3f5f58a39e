import type { AnswerAction, AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob } from './glob.js';
import { loosenedAnswers } from './loosened-answers.js';

const THINGS = ['secret', 'text a', 'text b', 'path /a', 'path /b'] as const;
type Thing = (typeof THINGS)[number];

const someRule = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom('*', 'a*', '*b', 'ab', 'a', 'c'), { minLength: 1, maxLength: 2 }),
    agents: fc.option(fc.constantFrom('me', 'm*', 'you'), { nil: undefined }),
    action: fc.constantFrom<AnswerAction>('log', 'redact', 'block'),
    things: fc.subarray([...THINGS], { minLength: 1 }),
  })
  .map(({ things, agents, ...rule }) => ({
    ...rule,
    ...(agents && { agents: [agents] }),
    ...(things.includes('secret') && { secrets: true }),
    texts: things.filter((thing) => thing.startsWith('text')),
    paths: things.filter((thing) => thing.startsWith('path')),
  }));
const someRules = fc.option(fc.record({ bytesMax: fc.constantFrom(10, 20), rules: fc.array(someRule, { minLength: 1, maxLength: 4 }) }), {
  nil: undefined,
});

const matches = (globs: readonly string[], name: string): boolean => globs.some((glob) => compileGlob(glob)(name));
const looksFor = ({ secrets, texts = [], paths = [] }: AnswerRulesEntry['rules'][number], thing: Thing): boolean =>
  (thing === 'secret' && secrets === true) || texts.includes(thing) || paths.includes(thing);

/** What the agent gets to see of an answer of so many bytes in which these things lie, as nodes would let it pass. */
function passing(
  entry: AnswerRulesEntry | undefined,
  name: string,
  answer: { bytes: number; things: readonly Thing[] },
): readonly Thing[] | undefined {
  const rules = (entry?.rules ?? []).filter((rule) => matches(rule.names, name) && (rule.agents === undefined || matches(rule.agents, 'me')));
  const holding = rules.filter(({ action }) => action !== 'log');
  if (holding.length > 0 && answer.bytes > (entry?.bytesMax ?? 0)) return undefined;
  const finds = (action: AnswerAction, thing: Thing): boolean => rules.some((rule) => rule.action === action && looksFor(rule, thing));
  if (answer.things.some((thing) => finds('block', thing))) return undefined;
  return answer.things.filter((thing) => !finds('redact', thing));
}

test('whatever an agent gets to see after a change of rules and not before is under a name that is told', () => {
  const someAnswer = fc.record({ bytes: fc.constantFrom(5, 15, 25), things: fc.subarray([...THINGS]) });
  const isNoMore = fc.property(someRules, someRules, fc.constantFrom('a', 'ab', 'b', 'c'), someAnswer, (before, after, name, answer) => {
    const [was, is] = [passing(before, name, answer), passing(after, name, answer)];
    return is === undefined || (was !== undefined && is.every((thing) => was.includes(thing))) || matches(loosenedAnswers(before, after, 'me'), name);
  });
  expect(fc.check(isNoMore, { numRuns: 2000 }).counterexample).toBeNull();
});

test('rules that stay as they are, in whatever order, loosen nothing', () => {
  fc.assert(
    fc.property(someRules, (rules) => {
      expect(loosenedAnswers(rules, rules && { ...rules, rules: rules.rules.toReversed() }, 'me')).toEqual([]);
    }),
  );
});
