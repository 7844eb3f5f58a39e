/** Finds the leftmost occurrence in `[from, end)` and gives the position after it, else -1. */
export type Search = (text: string, from: number, end: number) => number;

/** Knuth–Morris–Pratt: `String.indexOf` may take length × length steps on texts that an agent chooses. */
export function compileSearch(part: string): Search {
  const fallback = fallbackTable(part);
  return (text, from, end) => {
    let matched = 0;
    for (let at = from; at < end; at += 1) {
      const char = text.charCodeAt(at);
      while (matched > 0 && part.charCodeAt(matched) !== char) matched = fallback[matched - 1] ?? 0;
      if (part.charCodeAt(matched) === char) matched += 1;
      if (matched === part.length) return at + 1;
    }
    return -1;
  };
}

/** For each prefix of `part`, the length of its longest proper prefix that is also its suffix. */
function fallbackTable(part: string): readonly number[] {
  const table = [0];
  let length = 0;
  for (let at = 1; at < part.length; at += 1) {
    while (length > 0 && part.charCodeAt(at) !== part.charCodeAt(length)) length = table[length - 1] ?? 0;
    if (part.charCodeAt(at) === part.charCodeAt(length)) length += 1;
    table.push(length);
  }
  return table;
}

/** Native search is faster on ordinary texts; below this many steps its worst case is harmless. */
const NATIVE_STEPS_MAX = 4_000_000;

/** Whether `text` contains `part`, in linear time. */
export function containsText(text: string, part: string): boolean {
  if (part.length > text.length) return false;
  if (text.length * part.length <= NATIVE_STEPS_MAX) return text.includes(part);
  return compileSearch(part)(text, 0, text.length) >= 0;
}
