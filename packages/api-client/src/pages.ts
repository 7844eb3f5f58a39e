import type { Page } from '@portcullis/contracts/api/conventions';

/** Every item of a list, page after page, as far as the caller reads on. */
export async function* eachItem<T>(load: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  for (;;) {
    const page = await load(cursor);
    yield* page.items;
    if (page.nextCursor === null) return;
    if (page.nextCursor === cursor) throw new Error('The list gave the same cursor twice');
    cursor = page.nextCursor;
  }
}
