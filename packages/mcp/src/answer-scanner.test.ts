import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerScanner } from './answer-scanner.js';
import { JsonScanner } from './json-scanner.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The bytes in pieces of these sizes, over and over, each at an alignment of its own. */
function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield new Uint8Array([...Array<number>(turn % 5).fill(0), ...bytes.subarray(at, at + size)]).subarray(turn % 5);
    at += size;
  }
}

const silent = { value: () => true, scalar: () => undefined, closed: () => undefined };

function isJson(bytes: Uint8Array, sizes: readonly number[]): boolean {
  const scanner = new JsonScanner(silent);
  for (const piece of piecesOf(bytes, sizes)) scanner.push(piece);
  // A number at the outermost level has no end of its own.
  scanner.push(bytesOf(' '));
  return scanner.isWhole;
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const json = fc.tuple(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(1)).map(([value, indent]) => JSON.stringify(value, null, indent));

test('whatever is JSON is taken, however it is cut', () => {
  fc.assert(
    fc.property(json, sizes, (text, cut) => {
      expect(isJson(bytesOf(text), cut)).toBe(true);
    }),
  );
});

test('what one byte was changed in, taken from or added to is taken where JSON.parse takes it, and nowhere else', () => {
  const change = fc.tuple(
    fc.nat(),
    fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('{}[]",:\\u019-+.eE tfn'))),
    fc.constantFrom('replace', 'remove', 'add'),
  );
  fc.assert(
    fc.property(json, fc.array(change, { minLength: 1, maxLength: 3 }), sizes, (text, changes, cut) => {
      const bytes = [...bytesOf(text)];
      for (const [place, byte, kind] of changes) {
        const at = place % (bytes.length + 1);
        bytes.splice(at, kind === 'add' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]));
      }
      const changed = Uint8Array.from(bytes);
      expect(isJson(changed, cut)).toBe(parses(changed));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '01',
  '1.',
  '.5',
  '-',
  '1e',
  '1e+',
  '+1',
  '-0.0e-0',
  '0',
  '1E5',
  'nul',
  'truex',
  '"\\x"',
  '"\\u12g4"',
  '"\t"',
  '[1,]',
  '{"a":1,}',
  '{,}',
  '[}',
  '',
  ' ',
  '\ufeff1',
  '1 2',
])('%j is judged as by JSON.parse', (text) => {
  for (const size of [1, 2, 100]) expect(isJson(bytesOf(text), [size])).toBe(parses(bytesOf(text)));
});

function scan(text: string, cut: readonly number[]): { scanner: AnswerScanner; result: string } {
  const scanner = new AnswerScanner();
  const parts = [...piecesOf(bytesOf(text), cut)].map((piece) => Uint8Array.from(scanner.push(piece)));
  return { scanner, result: new TextDecoder().decode(Uint8Array.from(parts.flatMap((part) => [...part]))) };
}

const member = (name: string, value: unknown): string => `${JSON.stringify(name)}: ${JSON.stringify(value)}`;

test('of an answer exactly the result is cut out, wherever its members stand and however it is cut', () => {
  const result = fc.record(
    { content: fc.jsonValue(), isError: fc.boolean(), resultType: fc.constantFrom('complete', 'task'), other: fc.jsonValue() },
    { requiredKeys: ['content'] },
  );
  const order = fc.shuffledSubarray(['jsonrpc', 'id', 'result', 'extra'], { minLength: 4 });
  fc.assert(
    fc.property(result, order, fc.jsonValue(), sizes, (value, names, extra, cut) => {
      const values: Record<string, unknown> = { jsonrpc: '2.0', id: 'id-1', result: value, extra };
      const { scanner, result: found } = scan(`{${names.map((name) => member(name, values[name])).join(' , ')}} `, cut);
      expect(found).toBe(JSON.stringify(value));
      expect([scanner.fault, scanner.answers('id-1'), scanner.answers('id-2')]).toEqual([undefined, true, false]);
      expect([scanner.isError, scanner.resultType, scanner.asks]).toEqual([value.isError === true, value.resultType, false]);
    }),
  );
});

test.each([
  ['another id', '{"result":{},"id":"id-2"}'],
  ['no id', '{"result":{}}'],
  ['an id that is no string', '{"result":{},"id":{"id-1":1}}'],
  ['two ids', '{"id":"id-1","result":{},"id":"id-1"}'],
  ['two results', '{"id":"id-1","result":{},"result":{}}'],
  ['a second result under an escaped name', '{"id":"id-1","result":{},"\\u0072esult":{}}'],
  ['an error beside the result', '{"id":"id-1","result":{},"error":null}'],
  ['a result that is no object', '{"id":"id-1","result":[]}'],
  ['no result', '{"id":"id-1"}'],
  ['no object', '[{"id":"id-1","result":{}}]'],
  ['something behind the end', '{"id":"id-1","result":{}}{'],
  ['no end', '{"id":"id-1","result":{}'],
  ['an end inside the result', '{"id":"id-1","result":{"a":[}]}}'],
])('an answer with %s answers nothing', (_, text) => {
  for (const size of [1, 3, 100]) expect(scan(text, [size]).scanner.answers('id-1')).toBe(false);
});

test('what asks, is no tool result of its era or hides it by saying it twice is noticed', () => {
  const of = (result: string) => scan(`{"id":"id-1","result":${result}}`, [7]).scanner;
  expect(of('{"resultType":"input_required","resultType":"complete"}').resultType).toBe('input_required');
  expect(of('{"resultType":"complete","resultType":7}').resultType).toBe('');
  expect(of(`{"resultType":"${'x'.repeat(2000)}"}`).resultType).toBe('');
  expect(of('{"r\\u0065questState":"s"}').asks).toBe(true);
  expect(of('{"content":[{"requestState":1,"isError":true,"resultType":"x"}]}')).toMatchObject({
    asks: false,
    isError: false,
    resultType: undefined,
  });
  expect(of('{"structuredContent":[]}').hasOddStructure).toBe(true);
  expect(of('{"structuredContent":{}}').hasOddStructure).toBe(false);
});

test('hostile depth costs nothing and is refused', () => {
  const scanner = new JsonScanner(silent);
  scanner.push(bytesOf('['.repeat(1_000_000)));
  expect(scanner.isFaulty).toBe(true);
});
