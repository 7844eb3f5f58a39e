import type { Page } from '@portcullis/contracts/api/conventions';
import type { z } from 'zod';
import type { Operations } from './generated/operations.js';
import { eachItem } from './pages.js';
import type { ReadRoute, Send } from './send.js';

/** A list: one page, or every item from there on. */
export interface ListRoute<Query, Answer extends Page<unknown>> {
  page(query?: Query): Promise<Answer>;
  each(query?: Query): AsyncGenerator<Answer['items'][number], void, undefined>;
}

/** The two ways to read a keyset-paged list. `at` fills the braces of its route. */
export function listRoute<R extends ReadRoute, Answer extends z.ZodType<Page<unknown>>>(
  send: Send,
  route: R,
  answer: Answer,
  at: readonly string[] = [],
): ListRoute<Operations[R]['query'], z.output<Answer>> {
  const page = async (query?: Operations[R]['query']): Promise<z.output<Answer>> => (await send({ route, at, query, answer })).value;
  return { page, each: (query) => eachItem((cursor) => page({ ...query, ...(cursor === undefined ? {} : { cursor }) } as Operations[R]['query'])) };
}
