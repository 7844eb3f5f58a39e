import type { Fault } from './problem.js';

/** Deeper bodies serve nobody, and recursive code behind this would run out of stack. */
const DEPTH_MAX = 64;

/** Names with which a value would get at what all objects share. */
export const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const isUnsafeKey = (key: string): boolean => unsafeKeys.has(key);

/** The first text that Postgres could not store (NUL, half a surrogate pair), or the place where nesting goes too deep. */
export function findFault(value: unknown): Fault | undefined {
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value, pointer: '', depth: 0 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { pointer, depth } = item;
    if (typeof item.value === 'string') {
      const detail = textFault(item.value);
      if (detail !== undefined) return { pointer, detail };
    } else if (typeof item.value === 'object' && item.value !== null) {
      if (depth === DEPTH_MAX) return { pointer, detail: `is nested more than ${DEPTH_MAX} levels deep` };
      for (const [key, member] of Object.entries(item.value)) {
        const detail = textFault(key);
        if (detail !== undefined) return { pointer, detail: `has a name that ${detail}` };
        open.push({ value: member, pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'contains the character U+0000';
  return /\p{Surrogate}/u.test(text) ? 'contains half a surrogate pair' : undefined;
}
