import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WordFinder } from './word-finder.js';

/** Every word of the list that ends somewhere in the text, with its end, as `includes` would find it. */
function wordsIn(text: string, words: readonly string[]): string[] {
  const lower = text.toLowerCase();
  const ends = Array.from({ length: text.length }, (_, at) => at + 1);
  return ends.flatMap((end) => words.flatMap((word, at) => (lower.slice(0, end).endsWith(word.toLowerCase()) ? [`${at}:${end}`] : []))).toSorted();
}

test('finds every word of a list wherever it ends, in whatever case, also those that lie in one another', () => {
  const letters = fc.constantFrom('a', 'b', 'A', '_', 'c');
  const text = fc.array(letters, { maxLength: 30 }).map((all) => all.join(''));
  const words = fc.uniqueArray(
    fc.array(letters, { minLength: 1, maxLength: 4 }).map((all) => all.join('')),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(text, words, (where, wanted) => {
      const found: string[] = [];
      const isAny = new WordFinder(wanted).isAnyIn(where, (word, end) => found.push(`${word}:${end}`) === 0);
      expect([isAny, found.toSorted()]).toEqual([false, wordsIn(where, wanted)]);
    }),
  );
});

test('finds a word that lies across the border of what is read at once, and ends with the first that counts', () => {
  const finder = new WordFinder(['needle']);
  for (const before of [16_380, 16_384, 40_000]) {
    const ends: number[] = [];
    expect(finder.isAnyIn(`${'x'.repeat(before)}needle needle`, (_, end) => ends.push(end) === 1)).toBe(true);
    expect(ends).toEqual([before + 6]);
  }
});
