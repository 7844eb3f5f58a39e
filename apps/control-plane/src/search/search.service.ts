import { Inject, Injectable } from '@nestjs/common';
import { SearchHit, SearchMatch, type SearchPage, type SearchRequest } from '@portcullis/contracts/api/search';
import { PrismaClient } from '@portcullis/database';
import { z } from 'zod';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { ServersService } from '../servers/servers.service.js';
import { SearchIndexer } from './search-indexer.js';
import { findMatches, readFound, toTextQuery, type Filters, type FoundRow, type Place } from './search.repository.js';
import { askedText, printable, snippetOf } from './search-text.js';

const Cursor = z.tuple([SearchMatch, z.int32().min(0), z.string().max(700), z.uuid()]);

/** Finds servers and what they offer by words. Whatever is found may be read by whoever may read servers. */
@Injectable()
export class SearchService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(ServersService) private readonly servers: ServersService,
    @Inject(SearchIndexer) private readonly indexer: SearchIndexer,
  ) {}

  async search({ q, kind, state, server, limit, cursor }: SearchRequest): Promise<z.infer<typeof SearchPage>> {
    const [match, score, ref, id] = decodeCursor(cursor, Cursor) ?? [];
    const after = match === undefined ? undefined : { match, score: score ?? 0, ref: ref ?? '', id: id ?? '' };
    await this.indexer.catchUp();
    const serverId = server === undefined ? undefined : (await this.servers.find(this.database, server)).id;
    const found = await this.find(q, { kind, state, serverId }, after, limit + 1);
    const rows = await readFound(
      this.database,
      found.map((place) => place.id),
    );
    // What went since it was found is left out, and the page goes on behind it all the same.
    const page = pageFrom(
      found,
      limit,
      (place) => ({ place, row: rows.get(place.id) }),
      (place) => [place.match, place.score, place.ref, place.id],
    );
    const { words } = askedText(q);
    return { items: page.items.flatMap(({ place, row }) => (row === undefined ? [] : [toHit(place, row, words)])), nextCursor: page.nextCursor };
  }

  /**
   * Better matches before worse ones; worse ones are not even looked for while better ones fill the page, and names that only look alike not where
   * anything better is found.
   */
  private async find(q: string, filters: Filters, after: Place | undefined, limit: number): Promise<Place[]> {
    const asked = askedText(q);
    const textQuery = await toTextQuery(this.database, asked);
    const found: Place[] = [];
    const matches = SearchMatch.options;
    for (const match of after === undefined ? matches : matches.slice(matches.indexOf(after.match))) {
      const isOnlyAlike = match === 'fuzzy' && after?.match !== 'fuzzy' && (found.length > 0 || after !== undefined);
      if (found.length >= limit || isOnlyAlike) break;
      const behind = after?.match === match ? after : undefined;
      const rows = await findMatches(this.database, { match, asked, textQuery, filters, after: behind, limit: limit - found.length });
      found.push(...rows.map((row) => ({ match, ...row })));
    }
    return found;
  }
}

function toHit({ match }: Place, { id, kind, name, title, text, slug, serverId, state }: FoundRow, words: readonly string[]): SearchHit {
  return SearchHit.parse({
    match,
    kind,
    id,
    ref: kind === 'server' ? slug : `${slug}:${name}`,
    name,
    title: title === null ? null : printable(title),
    snippet: snippetOf(text, words),
    server: { id: serverId, slug },
    state,
  });
}
