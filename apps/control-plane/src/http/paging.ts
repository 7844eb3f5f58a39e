import type { Page } from '@portcullis/contracts/api/conventions';
import { z } from 'zod';
import { findFault } from './plain-json.js';
import { ProblemError } from './problem.js';

/** The place after which a page begins: the sort keys of the last item before it. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/** Throws `validation` for a cursor that no list of this kind has given. */
export function decodeCursor<T>(cursor: string | undefined, shape: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parsed = shape.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    // What the database could not even compare stood behind no row.
    if (parsed.success && findFault(parsed.data) === undefined) return parsed.data;
  } catch {
    // Not JSON: refused below like every other forgery.
  }
  throw new ProblemError('validation', undefined, [{ pointer: '/cursor', detail: 'is not a cursor of this list' }]);
}

/** Cuts one page from `limit + 1` rows; the extra row only tells that there is more. */
export function pageFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  keys: (row: Row) => readonly (string | number)[],
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keys(last)) : null };
}

/** Cursor of lists that are ordered by one text or id. */
export const TextCursor = z.tuple([z.string().max(300)]);
export const IdCursor = z.tuple([z.uuid()]);
