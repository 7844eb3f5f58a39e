/*
 * Offsets inside JSON text that JSON.parse has already accepted: nothing here validates. With it, bytes of a server's answer
 * can be cut out or replaced without re-encoding the rest.
 */

export const SPACE = 0x20;
export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;

/** A half-open range of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One member of an object: its decoded key, where the key's quote stands and where its value lies. */
export interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly value: Span;
}

/** First offset at or after `at` that is no whitespace. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && text.charCodeAt(i) <= SPACE) i += 1;
  return i;
}

/** Offset behind the string whose opening quote is at `at`. */
export function skipString(text: string, at: number): number {
  let close = text.indexOf('"', at + 1);
  while (close !== -1) {
    let escapes = 0;
    while (text.charCodeAt(close - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return text.length;
}

/** Offset behind the value that starts at `at`; not recursive, so depth costs nothing. */
export function skipValue(text: string, at: number): number {
  let depth = 0;
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = skipString(text, i);
      if (depth === 0) return i;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return i;
      depth -= 1;
      if (depth === 0) return i + 1;
    } else if (depth === 0 && (code === COMMA || code <= SPACE)) return i;
    i += 1;
  }
  return i;
}

/** The members of the object at `at`, in order, duplicates included; none when it is no object. */
export function membersAt(text: string, at: number): Member[] {
  const members: Member[] = [];
  let i = skipSpace(text, at);
  if (text.charCodeAt(i) !== OPEN_BRACE) return members;
  i = skipSpace(text, i + 1);
  while (i < text.length && text.charCodeAt(i) === QUOTE) {
    const keyStart = i;
    const keyEnd = skipString(text, i);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    members.push({ key: decodeKey(text.slice(keyStart, keyEnd)), keyStart, value: { start, end } });
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== COMMA) break;
    i = skipSpace(text, i + 1);
  }
  return members;
}

/** The elements of the array at `at`, in order; none when it is no array. */
export function elementsAt(text: string, at: number): Span[] {
  const elements: Span[] = [];
  let i = skipSpace(text, at);
  if (text.charCodeAt(i) !== OPEN_BRACKET) return elements;
  i = skipSpace(text, i + 1);
  while (i < text.length && text.charCodeAt(i) !== CLOSE_BRACKET) {
    const end = skipValue(text, i);
    elements.push({ start: i, end });
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== COMMA) break;
    i = skipSpace(text, i + 1);
  }
  return elements;
}

/** The value of a key of the object at `at`; of duplicates the last, which is the one JSON.parse takes. */
export function memberAt(text: string, at: number, key: string): Span | undefined {
  return membersAt(text, at).findLast((member) => member.key === key)?.value;
}

/** True when the character at `at` is the colon behind a key. */
export function isKeyEnd(text: string, at: number): boolean {
  return text.charCodeAt(skipSpace(text, at)) === COLON;
}

/** The text a quoted string stands for. */
export function decodeKey(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
