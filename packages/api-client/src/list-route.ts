import type { Page } from '@portcullis/contracts/api/conventions';
import type { z } from 'zod';
import { eachItem } from './pages.js';
import type { Send } from './send.js';

/** A list: one page, or every item from there on. */
export interface ListRoute<Query, Answer extends Page<unknown>> {
  page(query?: Query): Promise<Answer>;
  each(query?: Query): AsyncGenerator<Answer['items'][number], void, undefined>;
}

/** The two ways to read a keyset-paged list. */
export function listRoute<Query extends object, Answer extends z.ZodType<Page<unknown>>>(
  send: Send,
  path: string,
  answer: Answer,
): ListRoute<Query, z.output<Answer>> {
  const page = async (query?: Query): Promise<z.output<Answer>> => (await send({ method: 'GET', path, query, answer })).value;
  return { page, each: (query) => eachItem((cursor) => page({ ...query, ...(cursor === undefined ? {} : { cursor }) } as Query)) };
}
