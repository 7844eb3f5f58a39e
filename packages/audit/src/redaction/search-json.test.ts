import fc from 'fast-check';
import { expect, test } from 'vitest';
import { searchJson } from './redact-json.js';
import { compilePaths } from './redaction-paths.js';
import { compileTexts } from './text-patterns.js';

const found = (value: unknown, texts: string[], { secrets = false, paths = [] }: { secrets?: boolean; paths?: string[] } = {}) => {
  const json = typeof value === 'string' ? value : JSON.stringify(value);
  const it = searchJson(json, { secrets, texts: compileTexts(texts), paths: compilePaths(paths) });
  return it === undefined ? undefined : ([it.kinds, JSON.parse(it.json)] as const);
};

test('a named text is found in texts, names and JSON within texts, in either case, however it is escaped', () => {
  expect(found({ a: 'of Acme-77, you know', n: 1 }, ['ACME-*'])).toEqual([['text'], { a: 'of [redacted:text] you know', n: 1 }]);
  expect(found({ 'x-acme-1': true }, ['acme-'])).toEqual([['text'], { 'x-[redacted:text]1': true }]);
  expect(found('{"a":"\\u0041cme-7"}', ['acme-*'])).toEqual([['text'], { a: '[redacted:text]' }]);
  expect(found({ a: JSON.stringify({ b: 'say "acme" twice' }) }, ['"acme"'])).toEqual([
    ['text'],
    { a: JSON.stringify({ b: 'say [redacted:text] twice' }) },
  ]);
  expect(found({ a: '["\\Acme' }, ['acme'])?.[1]).toEqual({ a: '["\\[redacted:text]' });
  expect(found({ a: 'a.me', b: 'ACM' }, ['a*me', 'acme'].slice(1))).toBeUndefined();
});

test('only what is looked for is found: shapes and names of fields where secrets are, places where they are named', () => {
  const value = { password: 'x1', note: `ghp_${'a'.repeat(30)}`, ssn: 7 };
  expect(found(value, ['nothing'])).toBeUndefined();
  expect(found(value, [], { secrets: true })?.[0]).toEqual(['field', 'github-token']);
  expect(found(value, [], { paths: ['/ssn'] })).toEqual([['path'], { ...value, ssn: '[redacted:path]' }]);
  expect(found({ list: [] }, [], { paths: ['/list/*/ssn'] })).toBeUndefined();
});

test('whatever stands around it, nothing of a named text is left, the rest is as it was, and JSON stays JSON', () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from('ab "\\/{}[]:,ä😀\n')) });
  const planted = fc.tuple(text, text, fc.boolean()).map(([before, after, isNested]) => {
    const plain = `${before}MARK-7${after}`;
    return isNested ? JSON.stringify([plain]) : plain;
  });
  const tree = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, text, planted, fc.integer(), fc.array(tie('value')), fc.dictionary(text, tie('value'))),
  })).value;
  fc.assert(
    fc.property(tree, (value) => {
      const json = JSON.stringify({ value });
      const it = searchJson(json, { secrets: false, texts: compileTexts(['mark-7']), paths: undefined });
      expect(it === undefined).toBe(!json.includes('MARK-7'));
      if (it === undefined) return;
      expect(it.json).not.toContain('MARK-7');
      expect(JSON.parse(it.json)).toEqual(JSON.parse(json.replaceAll('MARK-7', '[redacted:text]')));
    }),
    { numRuns: 300 },
  );
});
