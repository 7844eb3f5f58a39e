const oddSpaces = /\s+/gu;
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Foreign text made safe for a terminal: one line, no control, direction or invisible characters, at most so long. */
export function plainText(text: unknown, charsMax = 200): string {
  if (typeof text !== 'string') return '';
  const line = text.replace(oddSpaces, ' ').replace(unprintable, '').trim();
  const characters = Array.from(line);
  return characters.length > charsMax ? `${characters.slice(0, charsMax - 1).join('')}…` : line;
}
