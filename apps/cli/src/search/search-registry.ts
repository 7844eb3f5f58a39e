import type { SearchHit, SearchRequest } from '@portcullis/contracts/api/search';
import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';

export type SearchOptions = Pick<SearchRequest, 'q' | 'kind' | 'server' | 'state' | 'limit'>;

const exitFound = 0;
const exitNothing = 1;

/** Prints what matches, best first, and gives the exit code: 1 where nothing does. */
export async function searchRegistry(options: SearchOptions, { api }: Connection, print: (text: string) => void): Promise<number> {
  const { items, nextCursor } = await api.search.page(options);
  for (const hit of items) print(lineOf(hit));
  if (items.length === 0) print('Nothing matches.');
  if (nextCursor !== null) print(`… and more. Narrow it with --kind, --server or --state, or raise --limit.`);
  return items.length === 0 ? exitNothing : exitFound;
}

function lineOf({ ref, kind, state, title, snippet }: SearchHit): string {
  const about = [title, snippet].map((text) => plainText(text, 160)).filter((text) => text !== '');
  return `${plainText(ref, 300)}  ${kind}${state === null ? '' : `, ${state}`}${about.length === 0 ? '' : `\n    ${about.join(' · ')}`}`;
}
