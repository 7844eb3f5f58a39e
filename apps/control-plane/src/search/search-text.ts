const NAME_CHARS_MAX = 300;
const TEXT_CHARS_MAX = 1000;
const WORDS_MAX = 8;
const WORD_CHARS_MAX = 64;
const SNIPPET_CHARS = 160;
const BEFORE_MATCH_CHARS = 40;

/** Foreign text on one line, without NUL, halves of pairs, or characters that act on a terminal or turn its direction. */
export function printable(text: unknown, charsMax = TEXT_CHARS_MAX): string {
  if (typeof text !== 'string') return '';
  // Cut twice: before, so that a huge text costs nothing, and after, because a cut may leave half a pair.
  const line = text.slice(0, charsMax * 2).replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return line
    .trim()
    .slice(0, charsMax)
    .replaceAll(/\p{Cs}/gu, '');
}

/** A name as it is looked up: without case. */
export const nameKey = (name: string): string => printable(name, NAME_CHARS_MAX).toLowerCase();

/** The words of a text, one blank apart, in lower case: `createIssue_v2` is `create issue v2`. */
export function plainWords(text: string): string {
  return text
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** What somebody types, as names and as words. */
export interface AskedText {
  readonly key: string;
  readonly words: readonly string[];
}

export function askedText(q: string): AskedText {
  const words = q.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return {
    key: nameKey(q),
    words: words
      .filter((word) => word !== '')
      .map((word) => word.slice(0, WORD_CHARS_MAX))
      .slice(0, WORDS_MAX),
  };
}

/** A piece of the text around the first of the words that is in it. */
export function snippetOf(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
  const from = Math.max(0, Math.min(...(places.length === 0 ? [0] : places)) - BEFORE_MATCH_CHARS);
  const start = from === 0 ? 0 : text.indexOf(' ', from) + 1;
  const piece = text.slice(start, start + SNIPPET_CHARS).replaceAll(/\p{Cs}/gu, '');
  return `${start > 0 ? '… ' : ''}${piece}${start + SNIPPET_CHARS < text.length ? '…' : ''}`;
}
