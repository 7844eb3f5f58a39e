import { compileGlob, isGlob } from './glob.js';

/** Whether every name that `part` matches is matched by `whole` too; either may be exact. */
export function globCovers(whole: string, part: string): boolean {
  // A letter that stands in neither is matched by stars alone, so what holds of it holds of whatever a star may stand for.
  return compileGlob(whole)(part.replaceAll('*', letterOutside(whole, part)));
}

/** Whether some name is matched by both. */
export function globsMeet(one: string, other: string): boolean {
  if (!isGlob(one)) return compileGlob(other)(one);
  if (!isGlob(other)) return compileGlob(one)(other);
  const [a, b] = [endsOf(one), endsOf(other)];
  return (a.first.startsWith(b.first) || b.first.startsWith(a.first)) && (a.last.endsWith(b.last) || b.last.endsWith(a.last));
}

function endsOf(glob: string): { readonly first: string; readonly last: string } {
  const parts = glob.split('*');
  return { first: parts[0] ?? '', last: parts.at(-1) ?? '' };
}

const PRIVATE_USE = 0xe000;

function letterOutside(...texts: readonly string[]): string {
  for (let code = PRIVATE_USE; ; code += 1) {
    const letter = String.fromCharCode(code);
    if (texts.every((text) => !text.includes(letter))) return letter;
  }
}
