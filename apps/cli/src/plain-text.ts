const oddSpaces = /\s+/gu;
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const shown = (control: string): string => `<U+${control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`;

/** Foreign text made safe for a terminal: one line, no control or invisible characters, those shown that turn text around, at most so long. */
export function plainText(text: unknown, charsMax = 200): string {
  if (typeof text !== 'string') return '';
  const line = text.replace(oddSpaces, ' ').replace(turning, shown).replace(unprintable, '').trim();
  const characters = Array.from(line);
  return characters.length > charsMax ? `${characters.slice(0, charsMax - 1).join('')}…` : line;
}

/** The same for words of ours that quote foreign ones: lines stay lines, and as long as they are. */
export const plainLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replaceAll('\t', ' ').replace(turning, shown).replace(unprintable, ''))
    .join('\n');

/** A value as JSON that does nothing to a terminal: what does not print is escaped, which changes no value. */
export function plainJson(value: unknown, indent?: number): string {
  const escaped = (odd: string): string =>
    Array.from({ length: odd.length }, (_, at) => `\\u${odd.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return (JSON.stringify(value, null, indent) ?? '').replace(unprintable, (odd) => (odd === '\n' ? odd : escaped(odd)));
}
