import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';
import { readJson, root, walk } from './workspace.js';

type Verdict = 'covered' | 'partly' | 'later' | 'not applicable';
interface Case {
  readonly verdict: Verdict;
  /** Titles of tests, or rows of their tables, by file. */
  readonly tests?: Readonly<Record<string, readonly string[]>>;
  readonly lacks?: string;
  readonly why?: string;
}

/** Everything that stands in quotes in a file: titles and rows are among it, and a title that was changed is not. */
function textsOf(path: string): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const node of walk(parseSync(path, readFileSync(join(root, path), 'utf8')).program)) {
    if (node.type === 'Literal' && typeof node['value'] === 'string') texts.add(node['value']);
    if (node.type === 'TemplateElement') texts.add(String((node['value'] as { cooked: unknown }).cooked));
  }
  return texts;
}

/** Declares the tests that hold a list of cases (a JSON file) to what it says: all names are there, in order, and the tests it rests on exist. */
export function checkMatrix(path: string, names: readonly string[]): void {
  const cases = Object.entries(readJson<Record<string, Case>>(path));
  const tested = cases.flatMap(([name, { tests = {} }]) => Object.entries(tests).map(([file, titles]) => ({ name, file, titles })));
  const files = [...new Set(tested.map(({ file }) => file))];

  test('every case of the list has its place, in order', () => {
    expect(cases.map(([name]) => name)).toEqual(names);
  });

  test('a verdict says what it rests on', () => {
    const wrong = cases.filter(([, { verdict, tests, lacks, why }]) => {
      const has = [tests !== undefined, lacks !== undefined, why !== undefined].join();
      const owes: Record<Verdict, string> = {
        covered: 'true,false,false',
        partly: 'true,true,false',
        later: 'false,false,true',
        'not applicable': 'false,false,true',
      };
      return has !== owes[verdict];
    });
    expect(wrong).toEqual([]);
  });

  describe('what it rests on is there', () => {
    test.each(files)('%s', (file) => {
      expect(file).toMatch(/\.test\.ts$/);
      expect(existsSync(join(root, file))).toBe(true);
      const text = readFileSync(join(root, file), 'utf8');
      expect(text).toContain('expect(');
      expect(text).not.toMatch(/\b(?:test|it|describe)\.(?:skip|todo|only|fails)\b/);
      const texts = textsOf(file);
      const missing = tested
        .filter((one) => one.file === file)
        .flatMap(({ name, titles }) => titles.filter((title) => !texts.has(title)).map((title) => `${name}: ${title}`));
      expect(missing).toEqual([]);
    });
  });
}
