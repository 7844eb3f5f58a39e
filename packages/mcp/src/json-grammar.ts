/** The words of JSON, by the byte they begin with. */
export const LITERALS: ReadonlyMap<number, string> = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), word]));

/** What may stand behind a backslash, beside `u`. */
export const ESCAPED: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));

export const isHexDigit = (byte: number): boolean => (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

const HIGH_BITS = 0x80808080;

/** How far, up to a place, words of four bytes are ordinary characters of a JSON string: ASCII, no control, no quote, no backslash. */
export function endOfPlainWords(words: Int32Array, from: number, to: number): number {
  let at = from;
  while (at < to && (notPlain(words[at] ?? 0) & HIGH_BITS) === 0) at += 1;
  return at;
}

/** How far, up to a place, they are ASCII without control characters. Most of what a large answer holds is looked at here, and nowhere else. */
export function endOfAsciiWords(words: Int32Array, from: number, to: number): number {
  let at = from;
  for (const last = to - 7; at < last; at += 8) {
    const [one, two, three, four] = [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0];
    const [five, six, seven, eight] = [words[at + 4] ?? 0, words[at + 5] ?? 0, words[at + 6] ?? 0, words[at + 7] ?? 0];
    const half = notAscii(one) | notAscii(two) | notAscii(three) | notAscii(four);
    if (((half | notAscii(five) | notAscii(six) | notAscii(seven) | notAscii(eight)) & HIGH_BITS) !== 0) break;
  }
  while (at < to && (notAscii(words[at] ?? 0) & HIGH_BITS) === 0) at += 1;
  return at;
}

/** As `notPlain`, but quotes and backslashes are let pass. */
function notAscii(word: number): number {
  return word | (word - 0x20202020);
}

/** Sets the highest bit of a byte that is not plain: what is not ASCII has it, and what is less than subtracted borrows it. */
function notPlain(word: number): number {
  return word | (word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101);
}

const NEAR_BYTES = 32;

/** Whether these bytes are ASCII without control characters. */
export function isPlain(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  const near = to - from < NEAR_BYTES ? to : from + ((4 - ((bytes.byteOffset + from) & 3)) & 3);
  for (; at < near; at += 1) if (isOdd(bytes[at] ?? 0)) return false;
  if (at === to) return true;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (to - at) >> 2);
  if (endOfAsciiWords(words, 0, words.length) < words.length) return false;
  for (at += words.length << 2; at < to; at += 1) if (isOdd(bytes[at] ?? 0)) return false;
  return true;
}

const isOdd = (byte: number): boolean => byte < 0x20 || byte >= 0x80;

/** What may follow the first byte of a UTF-8 sequence: so many bytes (0: it begins none), the first of them in this range. */
interface Sequence {
  readonly missing: number;
  readonly low: number;
  readonly high: number;
}

const NONE: Sequence = { missing: 0, low: 0, high: 0 };
const SEQUENCES: readonly Sequence[] = Array.from({ length: 256 }, (_, lead): Sequence => {
  if (lead < 0xc2 || lead > 0xf4) return NONE;
  const missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  // Neither overlong forms, nor surrogates, nor what lies beyond Unicode.
  return { missing, low: lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80, high: lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf };
});

/** The rest of the UTF-8 sequence that this byte begins. */
export const sequenceOf = (lead: number): Sequence => SEQUENCES[lead] ?? NONE;

const [MINUS, ZERO, WHOLE, POINT, FRACTION, E, SIGN, EXPONENT] = [1, 2, 3, 4, 5, 6, 7, 8];
const PARTS = 9;
const ASCII = 128;
const NUMBERS = new Uint8Array(PARTS * ASCII);

function allow(parts: readonly number[], characters: string, next: number): void {
  for (const part of parts) for (const character of characters) NUMBERS[part * ASCII + character.charCodeAt(0)] = next;
}

allow([0], '-', MINUS);
allow([0, MINUS], '0', ZERO);
allow([0, MINUS], '123456789', WHOLE);
allow([WHOLE], '0123456789', WHOLE);
allow([ZERO, WHOLE], '.', POINT);
allow([POINT, FRACTION], '0123456789', FRACTION);
allow([ZERO, WHOLE, FRACTION], 'eE', E);
allow([E], '+-', SIGN);
allow([E, SIGN, EXPONENT], '0123456789', EXPONENT);

/** In which part of a number this byte leads, from another or from its start (0); 0 where it is none of its bytes. */
export const nextOfNumber = (part: number, byte: number): number => (byte < ASCII ? (NUMBERS[part * ASCII + byte] ?? 0) : 0);

/** Whether a number may end in this part. */
export const isWholeNumber = (part: number): boolean => part === ZERO || part === WHOLE || part === FRACTION || part === EXPONENT;
