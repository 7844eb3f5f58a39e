import { describe, expect, test } from 'vitest';
import { compileCondition } from './condition.js';
import { toConditionArgs } from './condition-values.js';

const evaluate = (text: string, args: object = {}): boolean | undefined => {
  const { condition, fault } = compileCondition(text);
  if (condition === undefined) throw new Error(`${text}: ${fault.message}`);
  return condition({ args: toConditionArgs({ ...args }), tool: 'create_issue', server: 'github', agent: 'dev' });
};

describe('a condition over the arguments', () => {
  const args = { repo: 'acme/site', limit: 50, labels: ['bug', 'p1'], dry: true, cc: null, options: { depth: 2 } };
  test.each([
    ['args.repo.startsWith("acme/")', true],
    ['args.repo.startsWith("other/")', false],
    ['args.limit <= 100 && args.options.depth == 2', true],
    ['args.limit > 49.5', true],
    ['int(args.limit) % 2 == 0', true],
    ['args.labels.all(l, l in ["bug", "p1", "p2"])', true],
    ['args.labels.exists(l, l.matches("^p[0-9]$"))', true],
    ['size(args.labels) == 2 && args.labels[0] == "bug"', true],
    ['has(args.repo) && !has(args.missing)', true],
    ['has(args.cc) && "cc" in args && args.cc == null', true],
    ['!has(args.missing) || args.missing == 1', true],
    ['tool == "create_issue" && server == "github" && agent == "dev"', true],
    ['type(args.limit) == double', true],
    ['args.repo.contains("me/s") ? args.dry : false', true],
    ['timestamp("2026-01-01T00:00:00Z") < timestamp("2027-01-01T00:00:00Z")', true],
  ])('%s is %s', (text, expected) => expect(evaluate(text, args)).toBe(expected));

  test.each(['args.missing == 1', 'args.limit', 'args.repo > 1', 'args.labels[7] == "x"', 'args.repo.size', 'args.limit % 2 == 0'])(
    '%s cannot be said',
    (text) => expect(evaluate(text, args)).toBeUndefined(),
  );

  test('names that every object has are those of the arguments alone', () => {
    const hostile: object = JSON.parse('{"__proto__":{"admin":true},"constructor":null,"a":{"toString":1}}');
    expect(evaluate('has(args.admin)', hostile)).toBe(false);
    expect(evaluate('has(args.toString) || has(args.hasOwnProperty)', hostile)).toBe(false);
    expect(evaluate('has(args.constructor) && args.a.toString == 1', hostile)).toBe(true);
  });
});

describe('what an agent sends', () => {
  const long = Array.from({ length: 100_000 }, (_, at) => at);
  test('never makes a condition work for long: it cannot be said then', () => {
    expect(evaluate('args.l.all(x, args.l.all(y, x != y))', { l: long })).toBeUndefined();
    expect(evaluate('args.l.all(x, x in args.l)', { l: long })).toBeUndefined();
    expect(evaluate('args.l.all(x, args.l.all(y, args.l.all(z, true)))', { l: long.slice(0, 150) })).toBeUndefined();
    expect(evaluate('args.t.matches("(a+)+$")', { t: `${'a'.repeat(200_000)}b` })).toBeUndefined();
    expect(evaluate('args.a.contains(args.b)', { a: 'a'.repeat(2_000_000), b: `${'a'.repeat(500_000)}b${'a'.repeat(500_000)}` })).toBe(false);
    expect(evaluate('args.l.all(x, x >= 0) && args.l.map(x, x * 2.0)[3] == 6', { l: long.slice(0, 300) })).toBe(true);
  });

  test('a pattern that backtracking engines choke on is tested in linear time', () => {
    expect(evaluate('args.t.matches("^(a+)+$")', { t: `${'a'.repeat(5000)}b` })).toBe(false);
  });
});

describe('a text that is no condition', () => {
  test.each([
    ['args.repo ==', 10],
    ['foo == 1', 0],
    ['args.repo.shout()', 9],
    ['args.repo.matches(args.pattern)', 9],
    ['args.repo.matches("(")', undefined],
    ['args.repo.matches("(a{99}){1000}")', 9],
    ['google.protobuf.Duration{}', 0],
    ['"open', 0],
    [`${'('.repeat(1500)}1${')'.repeat(1500)}`, undefined],
    ['x'.repeat(5000), undefined],
  ])('%s is refused with its place', (text, offset) => {
    const { condition, fault } = compileCondition(text);
    expect(condition).toBeUndefined();
    expect(fault?.offset).toBe(offset);
    expect(fault?.message).toBeTruthy();
  });
});
