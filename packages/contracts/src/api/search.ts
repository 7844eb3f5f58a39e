import { z } from 'zod';
import { Id, Slug } from '../names.js';
import { pageOf, pageQuery, Reference } from './conventions.js';
import { DefinitionState } from './servers.js';

export const SearchKind = z.enum(['server', 'tool', 'prompt', 'resource', 'resource_template']);
export type SearchKind = z.infer<typeof SearchKind>;

/** Words of a name, title, tag or description; all must be there. `state` leaves servers out, which have none. */
export const SearchRequest = z.strictObject({
  ...pageQuery,
  q: z.string().min(1).max(200),
  kind: SearchKind.optional(),
  server: Reference.optional(),
  state: DefinitionState.optional(),
});
export type SearchRequest = z.infer<typeof SearchRequest>;

/** How well it matches, best first: the name itself, a name's beginning, words anywhere, and where there is nothing of these, a name that looks alike. */
export const SearchMatch = z.enum(['exact', 'prefix', 'text', 'fuzzy']);
export type SearchMatch = z.infer<typeof SearchMatch>;

export const SearchHit = z
  .object({
    match: SearchMatch,
    kind: SearchKind,
    id: Id,
    /** `server`, or `server:name`. */
    ref: z.string(),
    name: z.string(),
    title: z.string().nullable(),
    /** A piece of the description, without anything that acts on a terminal; the words are the server's. */
    snippet: z.string(),
    server: z.object({ id: Id, slug: Slug }),
    state: DefinitionState.nullable(),
  })
  .meta({ id: 'SearchHit' });
export type SearchHit = z.infer<typeof SearchHit>;
export const SearchPage = pageOf(SearchHit).meta({ id: 'SearchPage' });
