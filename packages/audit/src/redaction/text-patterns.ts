import type { FoundSecret } from './secret-shapes.js';

/** Texts that somebody named, to be found wherever they stand. */
export interface TextPatterns {
  /** Whether JSON could hold one: cheap, and wrong only in saying yes. */
  mayBeIn(json: string): boolean;
  findIn(text: string): FoundSecret[];
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;
/** Bounded, so that no text is looked at more than a bounded number of times. */
const RUN = String.raw`[^\s"'<>]{0,200}`;

/** Upper and lower case are alike; one `*` stands for up to 200 characters that are neither blanks nor quotes. Undefined where there are none. */
export function compileTexts(patterns: readonly string[]): TextPatterns | undefined {
  if (patterns.length === 0) return undefined;
  const source = patterns.map((pattern) => pattern.split('*').map(escaped).join(RUN)).join('|');
  const [one, all] = [new RegExp(source, 'i'), new RegExp(source, 'gi')];
  return {
    // An escape may stand for anything.
    mayBeIn: (json) => json.includes('\\') || one.test(json),
    findIn: (text) => [...text.matchAll(all)].map(({ index, 0: found }) => ({ start: index, end: index + found.length, kind: 'text' })),
  };
}

const escaped = (text: string): string => text.replaceAll(SPECIAL, String.raw`\$&`);
