/** Rows that one statement reads or writes: Postgres takes 32,767 parameters, and their objects take room. */
const ROWS_AT_ONCE = 2000;

/** Does with many what one statement does with some, in their order. */
export async function inParts<T, R>(all: readonly T[], work: (part: T[]) => Promise<readonly R[]>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE) for (const one of await work(all.slice(at, at + ROWS_AT_ONCE))) done.push(one);
  return done;
}
