import { isJsonObject, type JsonObject } from '../json-value.js';

/** One place in which two definitions differ: a JSON pointer (RFC 6901), and what is there in each. */
export type FieldChange =
  | { readonly pointer: string; readonly change: 'added'; readonly after: unknown }
  | { readonly pointer: string; readonly change: 'removed'; readonly before: unknown }
  | { readonly pointer: string; readonly change: 'replaced'; readonly before: unknown; readonly after: unknown };

/** The pointer to a member, or to an element, of what `pointer` names. */
export const pointerTo = (pointer: string, key: string | number): string => `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/**
 * Where `after` differs from `before`, as few and as deep places as say it all: putting each in its place turns one into the other. An array whose
 * length changed counts as replaced whole, as its elements have no names.
 */
export function diffJson(before: unknown, after: unknown, pointer = ''): FieldChange[] {
  if (isJsonObject(before) && isJsonObject(after)) return diffObjects(before, after, pointer);
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((element, at) => diffJson(element, after[at], pointerTo(pointer, at)));
  return isSameJson(before, after) ? [] : [{ pointer, change: 'replaced', before, after }];
}

function diffObjects(before: JsonObject, after: JsonObject, pointer: string): FieldChange[] {
  const kept = Object.keys(before).flatMap((key): FieldChange[] => {
    const at = pointerTo(pointer, key);
    return Object.hasOwn(after, key) ? diffJson(before[key], after[key], at) : [{ pointer: at, change: 'removed', before: before[key] }];
  });
  const added = Object.keys(after)
    .filter((key) => !Object.hasOwn(before, key))
    .map((key): FieldChange => ({ pointer: pointerTo(pointer, key), change: 'added', after: after[key] }));
  return [...kept, ...added];
}

/** Equality of JSON values; the order of members says nothing. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((value, at) => isSameJson(value, other[at]));
  if (!isJsonObject(one) || !isJsonObject(other)) return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && isSameJson(one[key], other[key]));
}
