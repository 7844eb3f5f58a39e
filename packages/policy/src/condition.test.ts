import fc from 'fast-check';
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

const LEAVES = [
  'args',
  'args.a',
  'args.a.b',
  'args["__proto__"]',
  'x',
  'tool',
  'null',
  'true',
  '1',
  '2.5',
  '-0.0',
  '9223372036854775807',
  '18446744073709551615u',
];
LEAVES.push(
  '"a"',
  '"\\u00e9\\U0001F600"',
  'b"\\xff"',
  '[]',
  '{}',
  '{"a": 1}',
  '[1, "a", null]',
  'timestamp("2026-01-01T00:00:00Z")',
  'duration("1s")',
  'int',
);
const SHAPES = [
  '(A + B)',
  '(A - B)',
  '(A * B)',
  '(A / B)',
  '(A % B)',
  '(A == B)',
  '(A < B)',
  '(A in B)',
  '(A && B)',
  '(A || B)',
  '!A',
  '-A',
  '(A ? B : A)',
];
SHAPES.push(
  'A[B]',
  'A.b',
  'has(args.a)',
  'size(A)',
  'int(A)',
  'uint(A)',
  'double(A)',
  'string(A)',
  'bytes(A)',
  'bool(A)',
  'type(A)',
  'dyn(A)',
  'timestamp(A)',
);
SHAPES.push('A.matches("^(a|é)*$")', 'A.contains(B)', 'A.startsWith(B)', 'A.endsWith(B)', 'A.getFullYear()', 'A.getHours(B)', 'duration(A)');
SHAPES.push('A.all(x, B)', 'A.exists(x, B)', 'A.exists_one(x, B)', 'A.map(x, B)', 'A.filter(x, B)', '[A, B]', '{A: B}');
const texts = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...LEAVES),
    fc.tuple(fc.constantFrom(...SHAPES), tie('text'), tie('text')).map(([shape, a, b]) => shape.replace(/[AB]/g, (place) => (place === 'A' ? a : b))),
  ),
})).text;

test('whatever is asked about whatever arguments holds, does not, or cannot be said, each time alike: nothing is thrown', () => {
  const given = fc.dictionary(fc.constantFrom('a', 'b', 'x', '__proto__'), fc.jsonValue(), { noNullPrototype: true });
  fc.assert(
    fc.property(texts, given, (text, args) => {
      const { condition } = compileCondition(text);
      const say = (): boolean | undefined => condition?.({ args: toConditionArgs({ ...args }), tool: 'a', server: 's', agent: 'dev' });
      const said = say();
      expect([true, false, undefined]).toContain(said);
      expect(say()).toBe(said);
    }),
    { numRuns: 500 },
  );
});
