/** A character that a reader does not see, or that changes what a reader sees. `at` counts UTF-16 units from the start of the text. */
export interface OddCharacter {
  readonly codePoint: string;
  readonly at: number;
}

/** How many are named one by one. */
export const ODD_CHARACTERS_NAMED_MAX = 20;

const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const BIDIRECTIONAL = new RegExp(TURNING, 'gu');
// Format, control, private and unassigned characters, half pairs, separators, fillers that print as nothing, and variation selectors.
const HIDDEN = /[\p{Cf}\p{Cc}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Variation_Selector}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;
const ORDINARY: ReadonlySet<string> = new Set(['\t', '\n', '\r']);
const PICTURE_BEFORE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}#*0-9]\ufe0f?$/u;

/** Characters that turn the direction of what stands around them. */
export const bidirectionalIn = (text: string): OddCharacter[] => [...text.matchAll(BIDIRECTIONAL)].map(({ 0: sign, index }) => odd(sign, index));

/** Characters that are not seen. Joiners and selectors that belong to a picture are no such thing. */
export function hiddenIn(text: string): OddCharacter[] {
  return [...text.matchAll(HIDDEN)]
    .filter(({ 0: sign, index }) => !ORDINARY.has(sign) && !TURNING.test(sign) && !isOfPicture(text, sign, index))
    .map(({ 0: sign, index }) => odd(sign, index));
}

/** The text as its reader takes it: without what is not seen. */
export const seenOf = (text: string): string => text.replaceAll(HIDDEN, (sign) => (ORDINARY.has(sign) ? ' ' : ''));

function isOfPicture(text: string, sign: string, index: number): boolean {
  if (sign !== '\ufe0f' && sign !== '\u200d') return false;
  return PICTURE_BEFORE.test(text.slice(Math.max(0, index - 4), index));
}

const odd = (sign: string, at: number): OddCharacter => ({
  codePoint: `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  at,
});
