/** A path whose inserted parts cannot leave their place, whatever they contain. */
export function path(texts: TemplateStringsArray, ...parts: string[]): string {
  return texts.reduce((whole, text, index) => whole + segment(parts[index - 1] ?? '') + text);
}

function segment(part: string): string {
  // A URL parser resolves these two, encoded or not.
  if (part === '' || part === '.' || part === '..') throw new TypeError(`"${part}" cannot be part of a path`);
  return encodeURIComponent(part);
}
