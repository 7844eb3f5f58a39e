import { compileSearch } from './linear-search.js';

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
