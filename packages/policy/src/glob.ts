/** Whether a grant's name is a glob: `*` is the only sign with a meaning, so every other name is exact. */
export const isGlob = (name: string): boolean => name.includes('*');

/** Says whether a name matches; time is linear in the length of the name, whatever the glob. */
export type GlobMatcher = (name: string) => boolean;

/** Compiles a glob in which `*` stands for any run of characters, the empty one included. Matches whole names, case-sensitively. */
export function compileGlob(glob: string): GlobMatcher {
  const parts = glob.split('*');
  const prefix = parts[0] ?? '';
  if (parts.length === 1) return (name) => name === prefix;
  const suffix = parts[parts.length - 1] ?? '';
  const inner = parts.slice(1, -1).filter((part) => part !== '');
  const searches = inner.map(compileSearch);
  const charsMin = prefix.length + suffix.length;
  return (name) => {
    if (name.length < charsMin || !name.startsWith(prefix) || !name.endsWith(suffix)) return false;
    const end = name.length - suffix.length;
    let from = prefix.length;
    for (const search of searches) {
      from = search(name, from, end);
      if (from < 0) return false;
    }
    return true;
  };
}

/** Finds the leftmost occurrence in `[from, end)` and gives the position after it, else -1. */
type Search = (text: string, from: number, end: number) => number;

/** Knuth–Morris–Pratt: `String.indexOf` may take length × length steps on names that an agent chooses. */
function compileSearch(part: string): Search {
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
