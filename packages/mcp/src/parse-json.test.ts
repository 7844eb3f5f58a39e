import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './parse-json.js';

/** JSON as it is written: members in order, names that come twice included. */
type Written = { readonly members: readonly (readonly [string, Written])[] } | readonly Written[] | string | number | boolean | null;

/** How the strings of a text are written, names told from values. */
type WriteString = (text: string, isName: boolean) => string;

function write(value: Written, string: WriteString): string {
  if (typeof value === 'string') return string(value, false);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (!('members' in value)) return `[ ${value.map((one) => write(one, string)).join(' ,')}]`;
  return `{${value.members.map(([name, one]) => ` ${string(name, true)}\n: ${write(one, string)}`).join(',')} }`;
}

/** What a text written so means: of names that come twice the place of the first and the value of the last. */
function meant(value: Written): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (!('members' in value)) return value.map(meant);
  return Object.fromEntries(value.members.map(([name, one]) => [name, meant(one)]));
}

function escapeOddly(text: string, odd: () => number): string {
  return Array.from({ length: text.length }, (_, at) => text.charAt(at))
    .map((unit) => (odd() % 3 === 0 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(unit).slice(1, -1)))
    .join('');
}

/** The name that the engine would take an escaped one for, had it seen it at this place. */
const mistakenFor = (escaped: string): string => escaped.slice(0, (JSON.parse(`"${escaped}"`) as string).length);

const string = fc.string({ unit: fc.constantFrom(...Array.from('ab/0 "\\\n\u0000äß☃😀{}[]:,'), '\ud800') });
const name = fc.oneof({ weight: 5, arbitrary: string }, fc.constantFrom('__proto__', 'constructor', '0', '1', '-1', 'length', 'toJSON', 'k0'));
const scalar = fc.oneof(string, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(true, false, null, -0, 1e21));
const written = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((members) => ({ members })),
  ),
})).value;

let fresh = 0;
/** With a first name that was never seen, so that the engine expects nothing else behind it but what a test makes it. */
function begunAfresh(value: Written): Written {
  if (value === null || typeof value !== 'object') return value;
  if (!('members' in value)) return value.map(begunAfresh);
  fresh += 1;
  return { members: [[`fresh${fresh}`, 0], ...value.members.map(([key, one]) => [key, begunAfresh(one)] as const)] };
}

test('however its strings are escaped a text means the same, also when names were seen that its names begin like', () => {
  fc.assert(
    fc.property(written, fc.infiniteStream(fc.nat(29)), (generated, stream) => {
      const value = begunAfresh(generated);
      const strings: string[] = [];
      const text = write(value, (one) => {
        const escaped = one.startsWith('fresh') ? one : escapeOddly(one, () => Number(stream.next().value));
        strings.push(escaped);
        return `"${escaped}"`;
      });
      let next = 0;
      const poison = write(value, (_, isName) => {
        const escaped = strings[next++] ?? '';
        return isName ? JSON.stringify(mistakenFor(escaped)) : `"${escaped}"`;
      });
      const seen: unknown = JSON.parse(poison);
      const [read, expected] = [parseJson(text), meant(value)];
      expect(seen).toBeDefined();
      // As text, since equality knows neither the order of members nor a member named `__proto__`.
      expect(JSON.stringify(read)).toBe(JSON.stringify(expected));
    }),
    { numRuns: 1000 },
  );
});

describe('a name that another text made the engine expect is not read into an escaped one', () => {
  test.each<[string, string, string, unknown]>([
    ['at the root', '{"pj-root":1,"\\\\u00":1}', '{"pj-root":1,"\\u0070ath":2}', { 'pj-root': 1, path: 2 }],
    ['nested', '{"o":{"pj-in":1,"\\\\u00":1}}', '{"o":{"pj-in":1,"\\u0070ath":{"x":2}}}', { o: { 'pj-in': 1, path: { x: 2 } } }],
    ['in a list', '[{"pj-list":1,"\\\\u00":1}]', '[0,{"pj-list":1,"\\u0070ath":2}]', [0, { 'pj-list': 1, path: 2 }]],
    [
      'by the element before',
      '0',
      '[{"pj-own":1,"\\\\u00":1},{"pj-own":1,"\\u0070ath":2}]',
      [
        { 'pj-own': 1, '\\u00': 1 },
        { 'pj-own': 1, path: 2 },
      ],
    ],
    ['with a short escape', '{"pj-quote":1,"a\\\\":1}', '{"pj-quote":1,"a\\"":2}', { 'pj-quote': 1, 'a"': 2 }],
    [
      'with a long list beside',
      '{"pj-wide":1,"\\\\u00":1}',
      '{"pj-wide":1,"\\u0070ath":[1,-2.5e3,true,null,"\\n"]}',
      { 'pj-wide': 1, path: [1, -2500, true, null, '\n'] },
    ],
  ])('%s', (_where, before, text, expected) => {
    const seen: unknown = JSON.parse(before);
    expect(seen).toBeDefined();
    const read = parseJson(text);
    expect(read).toEqual(expected);
    expect(JSON.stringify(read)).toBe(JSON.stringify(expected));
  });
});

test('of names that come twice, however each is written, the last value stands in the place of the first', () => {
  expect(JSON.stringify(parseJson('{"a":1,"b":2,"\\u0061":{"c":3},"7":0}'))).toBe('{"7":0,"a":{"c":3},"b":2}');
});

test('__proto__ is a member like any other', () => {
  const read = parseJson('{"\\u005f_proto__":{"polluted":1},"__proto__":[]}') as object;
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(read, '__proto__')).toEqual({ value: [], writable: true, enumerable: true, configurable: true });
});

test.each(['', '{"\\u0061":1', '{"\\u0061":1}}', '{"\\u006":1}', '{"\\u0061":01}', '{"\\u0061" 1}', '\\', '"\\', '{"a\\":1}', '\ufeff{"\\u0061":1}'])(
  'what is malformed throws as it always did: %j',
  (text) => {
    const thrown = (parse: (text: string) => unknown): unknown => {
      try {
        return parse(text);
      } catch (error) {
        return error;
      }
    };
    const error = thrown(parseJson);
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toEqual(thrown(JSON.parse));
  },
);

test.each([
  ['100,000 levels', `${'{"\\u0061":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['a megabyte of backslashes in a name', `{"${'\\\\'.repeat(500_000)}":1}`],
  ['a megabyte of escaped quotes in values', `{"\\u0061":["${'\\"'.repeat(500_000)}"]}`],
  ['many short strings with escapes', `[${'"\\n",'.repeat(200_000)}{"\\u0061":1}]`],
])('is read to its end: %s', (_what, text) => {
  expect(parseJson(text)).toBeTypeOf('object');
});
