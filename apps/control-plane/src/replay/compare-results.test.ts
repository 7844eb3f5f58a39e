import { expect, test } from 'vitest';
import { compareResults, sha256 } from './compare-results.js';

const recorded = (text: string, kept = text) => ({ hash: sha256(text), bytes: text.length, kept: Buffer.from(kept) });

test('results are the same where they say the same, in whatever order', () => {
  expect(compareResults(recorded('{"a":1,"b":[2]}'), '{"b":[2],"a":1}')).toMatchObject({ same: true, comparedBy: 'value', changes: [] });
  expect(compareResults(recorded('{"a":1}'), '{"a":1}')).toMatchObject({ same: true, comparedBy: 'hash' });
});

test('every place that differs is named by its pointer, with what is there in each', () => {
  const { same, changes } = compareResults(recorded('{"content":[{"text":"old"}],"gone":1}'), '{"content":[{"text":"new"}],"a/b":2}');
  expect(same).toBe(false);
  expect(changes).toEqual([
    { pointer: '/content/0/text', change: 'replaced', before: '"old"', after: '"new"' },
    { pointer: '/gone', change: 'removed', before: '1' },
    { pointer: '/a~1b', change: 'added', after: '2' },
  ]);
});

test('of a result that was not kept whole only its digest is compared, and of none nothing is said', () => {
  expect(compareResults(recorded('{"long":"text"}', '{"long"'), '{"long":"test"}')).toMatchObject({ same: false, comparedBy: 'hash', changes: [] });
  expect(compareResults({ hash: null, bytes: null, kept: null }, '{}')).toMatchObject({ same: null, comparedBy: 'none' });
});

test('what is told of a difference is bounded', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, 'x'.repeat(5000)]));
  const told = compareResults(recorded('{}'), JSON.stringify(many));
  expect([told.changes.length, told.changesTruncated]).toEqual([200, true]);
  expect(told.changes.every(({ after }) => (after?.length ?? 0) <= 2001)).toBe(true);
});
