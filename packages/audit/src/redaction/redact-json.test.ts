import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleSecrets } from '../testing/sample-secrets.js';
import { LOOK_AHEAD, redactJson, redactText } from './redact-json.js';
import { compilePaths } from './redaction-paths.js';

const all = { paths: undefined, ownSecret: undefined, charsMax: 1_000_000 };
const MARKER = /\[redacted:[a-z-]+\]/g;

/** JSON in which a character of a string may be written as an escape, and white space may stand between. */
function writeOddly(value: unknown, odd: () => number): string {
  const gap = (): string => ['', '', '', ' ', '\n', '\t '][odd() % 6] ?? '';
  if (typeof value === 'string')
    return `"${Array.from(value)
      .map((character) => escapeMaybe(character, odd()))
      .join('')}"`;
  if (Array.isArray(value)) return `[${value.map((one) => gap() + writeOddly(one, odd) + gap()).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, one]) => `${gap()}${writeOddly(name, odd)}${gap()}:${gap()}${writeOddly(one, odd)}${gap()}`);
  return `{${members.join(',')}}`;
}

function escapeMaybe(character: string, odd: number): string {
  if (odd % 5 === 0)
    return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  if (character === '/' && odd % 2 === 0) return '\\/';
  return JSON.stringify(character).slice(1, -1);
}

/**
 * Each name read by itself: among names it has seen that hold a backslash, the engine's JSON.parse takes one written with an escape for another.
 */
function parseByName(json: string): unknown {
  const names: string[] = [];
  const numbered = json.replace(/("(?:[^"\\]|\\.)*")(\s*:)?/g, (string, name: string, colon?: string) =>
    colon === undefined ? string : `"#${String(names.push(JSON.parse(name) as string) - 1)}":`,
  );
  const named = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(named);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [names[Number(key.slice(1))], named(one)]));
  };
  return named(JSON.parse(numbered));
}

const plain = fc.string({ unit: fc.constantFrom(...Array.from('abc xyz 019 ,.\n"\\/äß☃😀{}[]')) });
const safeName = fc.string({ unit: fc.constantFrom(...Array.from('bcdfghk "\\')), minLength: 1, maxLength: 6 });
const secret = fc.constantFrom(...sampleSecrets);
/** Where a secret is planted it stands in for a text: alone, within words, or in JSON that is itself a text. */
const planted = fc
  .tuple(secret, plain, plain, fc.constantFrom('alone', 'within', 'nested'))
  .map(([{ text, secret: own }, before, after, how]) =>
    how === 'alone'
      ? (text ?? own)
      : how === 'within'
        ? `${before} ${text ?? own} ${after}`
        : JSON.stringify({ note: before, list: [text ?? own, { deep: after }] }),
  );
const named = fc
  .tuple(
    fc.constantFrom('password', 'api_key', 'X-Api-Key', 'clientSecret', 'token'),
    fc.constantFrom('hunter2 & co', 4711, ['hunter2 & co'], { a: 'hunter2 & co' }),
  )
  .map(([name, value]) => ({ [name]: value }));
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plain,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(true, false, null),
    planted,
    named,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(safeName, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const needles = [...sampleSecrets.map((one) => one.secret), 'hunter2 & co'];

/** Everything a value says, texts that are JSON themselves included. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') {
    try {
      const inner: unknown = JSON.parse(value);
      return typeof inner === 'object' && inner !== null ? [value, ...textsOf(inner)] : [value];
    } catch {
      return [value];
    }
  }
  if (typeof value !== 'object' || value === null) return [JSON.stringify(value)];
  return Object.entries(value).flatMap(([name, one]) => [name, ...textsOf(one)]);
}

test('of secrets planted anywhere in any JSON, however escaped, nothing remains, and all else stays as it was', () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.nat(29)), (value, stream) => {
      const json = writeOddly(value, () => Number(stream.next().value));
      expect(parseByName(json)).toEqual(parseByName(JSON.stringify(value)));
      const redacted = redactJson(json, all) ?? json;
      const texts = textsOf(parseByName(redacted));
      for (const needle of needles) expect(texts.filter((text) => text.includes(needle))).toEqual([]);
      // Between the markers every byte is one of the original, in its order.
      let at = 0;
      for (const piece of redacted.split(/(?:\\*")?\[redacted:[a-z-]+\](?:\\*")?/)) {
        const found = json.indexOf(piece, at);
        expect(found).toBeGreaterThanOrEqual(0);
        at = found + piece.length;
      }
    }),
    { numRuns: 1000 },
  );
});

test('JSON without secrets is not touched', () => {
  const innocent = fc.jsonValue({ maxDepth: 4 }).filter((value) => !/pass|token|secret|key|bearer|basic|\\|:\/\//i.test(JSON.stringify(value)));
  expect(() => fc.assert(fc.property(innocent, (value) => redactJson(JSON.stringify(value), all) === undefined))).not.toThrow();
});

test('what stands across the border of what is kept is not kept by half', () => {
  fc.assert(
    fc.property(secret, fc.nat(300), fc.nat(300), fc.boolean(), ({ secret: own, text = own }, before, charsMax, isLong) => {
      const tail = isLong ? 'tail '.repeat(LOOK_AHEAD) : 'tail';
      const json = JSON.stringify({ a: '.'.repeat(before), b: `x ${text} y`, c: tail });
      const kept = redactJson(json, { ...all, charsMax }) ?? json.slice(0, charsMax);
      const raw = JSON.stringify(own).slice(1, -1);
      const start = json.indexOf(raw);
      const visible = kept.replaceAll(MARKER, '\u0000');
      // Not even its first half.
      expect(start < charsMax && visible.slice(start).includes(raw.slice(0, Math.max(6, raw.length / 2)))).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test('a secret of which only the beginning was looked at is one all the same', () => {
  const long = ['ey' + 'JhbGciOiJIUzI1NiJ9', `ey${'Jz'.repeat(4000)}`, 'c2ln'].join('.');
  const json = JSON.stringify({ a: long });
  expect(redactJson(json, { ...all, charsMax: 100 })).toBe('{"a":"[redacted:jwt]');
  const key = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(9000)}\n-----END PRIVATE KEY-----`;
  expect(redactJson(JSON.stringify({ a: key }), { ...all, charsMax: 60 })).toBe('{"a":"[redacted:private-key]');
  expect(redactJson(`{"password":"${'x'.repeat(9000)}"}`, { ...all, charsMax: 60 })).toBe('{"password":"[redacted:field]"');
});

test("the caller's own key is never kept, not even a part that has no shape of its own", () => {
  const ownSecret = 'q7Zk2Xw9Tb4Ln8Rv1Hd6Ys3Jc5Pm0Gfq7Zk2Xw9Tb4L';
  const options = { ...all, ownSecret };
  expect(redactJson(JSON.stringify({ note: `it is ${ownSecret}!` }), options)).toBe('{"note":"it is [redacted:portcullis-key]!"}');
  expect(redactJson(`{"note":"\\u0071${ownSecret.slice(1)}"}`, options)).toBe('{"note":"[redacted:portcullis-key]"}');
  expect(redactJson(JSON.stringify({ [ownSecret]: 1 }), options)).toBe('{"[redacted:portcullis-key]":1}');
  expect(redactText(`nowhere__${ownSecret}`, ownSecret)).toBe('nowhere__[redacted:portcullis-key]');
});

test('configured pointers replace what they lead to, through lists, odd names and JSON within a text', () => {
  const redact = (value: unknown, ...paths: string[]): unknown =>
    JSON.parse(redactJson(JSON.stringify(value), { ...all, paths: compilePaths(paths) }) ?? 'null');
  const people = {
    people: [
      { ssn: '1', name: 'a' },
      { ssn: 2, name: 'b' },
    ],
    ssn: 'kept',
  };
  const gone = '[redacted:path]';
  expect(redact(people, '/people/*/ssn')).toEqual({
    people: [
      { ssn: gone, name: 'a' },
      { ssn: gone, name: 'b' },
    ],
    ssn: 'kept',
  });
  expect(redact(people, '/people/1')).toEqual({ ...people, people: [people.people[0], gone] });
  expect(redact({ 'a/b': { '~c': [true, null] } }, '/a~1b/~0c/*')).toEqual({ 'a/b': { '~c': [gone, gone] } });
  expect(redact({ content: [{ text: JSON.stringify(people) }] }, '/content/*/text/people')).toEqual({
    content: [{ text: JSON.stringify({ people: gone, ssn: 'kept' }) }],
  });
  expect(redact({ a: 1 }, '/b')).toBeNull();
});

const hostile = [
  'eyJ',
  'eyJ-',
  'eyJaaaaaaaaaaaa.',
  '://',
  '://a:',
  '://a:b',
  'password=',
  'password="',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN ',
  'Authorization: ',
  'ghp_',
  'sk-',
  'bearer ',
  'secret"',
  'token":"',
  'api_',
  '\\u',
  '\\',
  '"',
  '[{',
  '{"a":',
  '{"password":[',
  '-',
  'z'.repeat(42),
  '[redacted:',
];

test.each(hostile)('a megabyte of it is read to its end, which would take minutes if any were looked at again and again: %j', (piece) => {
  const json = JSON.stringify({ t: piece.repeat(1_000_000 / piece.length), u: '\\u' });
  expect(() => redactJson(json, { ...all, ownSecret: 'z'.repeat(43), paths: compilePaths(['/*/x/*', '/t/*']) })).not.toThrow();
});

test.each(['[', '{"a":', '"', '"\\', '[1,', '{"password":', '{"password":{"a":['])(
  'malformed and deeply nested JSON is read to its end: %j',
  (piece) => {
    expect(() => redactJson(`${piece.repeat(50_000)} token`, { ...all, paths: compilePaths(['/a/*', '/0/0']) })).not.toThrow();
  },
);
