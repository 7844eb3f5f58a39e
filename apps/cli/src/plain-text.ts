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
