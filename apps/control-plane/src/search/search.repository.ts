import type { SearchMatch, SearchRequest } from '@portcullis/contracts/api/search';
import { Prisma, type PrismaClient } from '@portcullis/database';
import { literalLike } from '../database/literal-like.js';
import type { AskedText } from './search-text.js';

/** What is found, in order; the place in the order is (match, score, ref, id). */
export interface Found {
  readonly id: string;
  readonly score: number;
  readonly ref: string;
}

export interface Place {
  readonly match: SearchMatch;
  readonly score: number;
  readonly ref: string;
  readonly id: string;
}

export interface Filters extends Pick<SearchRequest, 'kind' | 'state'> {
  readonly serverId: string | undefined;
}

export interface FoundRow {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly title: string | null;
  readonly text: string;
  readonly slug: string;
  readonly serverId: string;
  readonly state: string | null;
}

/** What is asked for as Postgres understands it, so that it plans for these very words; null where no word is left. */
export async function toTextQuery(db: PrismaClient, { words }: AskedText): Promise<string | null> {
  if (words.length === 0) return null;
  const [row] = await db.$queryRaw<{ q: string | null }[]>`SELECT search_query(${[...words]}::text[])::text AS q`;
  return row?.q ?? null;
}

/** More than this of one kind of match is not looked through: whoever searches for `the` gets some of it, in a fixed order. */
const CANDIDATES_MAX = 1000;
const FUZZY_THRESHOLD = '0.4';

export interface Question {
  readonly match: SearchMatch;
  readonly asked: AskedText;
  /** What `toTextQuery` made of it. */
  readonly textQuery: string | null;
  readonly filters: Filters;
  /** The last that was found before, of this kind of match. */
  readonly after: Place | undefined;
  readonly limit: number;
}

/** Matches of one kind, in order. */
export async function findMatches(db: PrismaClient, { match, asked, textQuery, filters, after, limit }: Question): Promise<Found[]> {
  const candidates = candidatesOf(match, asked, textQuery, filters);
  if (candidates === undefined) return [];
  const isLater = after === undefined ? Prisma.sql`true` : Prisma.sql`(-score, ref, id) > (${-after.score}::int, ${after.ref}, ${after.id}::uuid)`;
  const query = Prisma.sql`SELECT id::text AS id, score, ref FROM (${candidates}) AS c WHERE ${isLater} ORDER BY -score, ref, id LIMIT ${limit}`;
  if (match === 'exact' || match === 'prefix') return db.$queryRaw<Found[]>(query);
  // The first candidates are the same ones each time only where one process reads from the beginning.
  const settings = Prisma.sql`SELECT set_config('pg_trgm.word_similarity_threshold', ${FUZZY_THRESHOLD}, true),
    set_config('synchronize_seqscans', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`;
  const [, found] = await db.$transaction([db.$queryRaw(settings), db.$queryRaw<Found[]>(query)]);
  return found;
}

function candidatesOf(match: SearchMatch, { key, words }: AskedText, textQuery: string | null, filters: Filters): Prisma.Sql | undefined {
  const where = conditionsOf(filters);
  const like = `${literalLike(key)}%`;
  const isExact = Prisma.sql`(e.ref = ${key} OR e.name = ${key})`;
  const isPrefix = Prisma.sql`(e.ref LIKE ${like} OR e.name LIKE ${like})`;
  const max = CANDIDATES_MAX;
  if (match === 'exact') return Prisma.sql`SELECT e.id, e.ref, 0 AS score FROM search_entry e WHERE ${isExact} AND ${where} LIMIT ${max}`;
  if (match === 'prefix')
    return Prisma.sql`(SELECT e.id, e.ref, 0 AS score FROM search_entry e WHERE e.ref LIKE ${like} AND NOT ${isExact} AND ${where} ORDER BY e.ref, e.id LIMIT ${max})
      UNION (SELECT e.id, e.ref, 0 AS score FROM search_entry e WHERE e.name LIKE ${like} AND NOT ${isExact} AND ${where} ORDER BY e.name, e.id LIMIT ${max})`;
  // In the order in which they lie there: to read all of them for the sake of another order would cost most of the time.
  if (match === 'text' && textQuery !== null)
    return Prisma.sql`SELECT id, ref, (ts_rank(document, ${textQuery}::tsquery) * 1000000)::int AS score FROM (
      SELECT e.id, e.ref, e.document FROM search_entry e
      WHERE e.document @@ ${textQuery}::tsquery AND NOT ${isPrefix} AND ${where} LIMIT ${max}) AS t`;
  if (match === 'text' || words.length === 0) return undefined;
  const text = words.join(' ');
  return Prisma.sql`SELECT e.id, e.ref, (word_similarity(${text}, e.words) * 1000000)::int AS score FROM search_entry e
    WHERE ${text} <% e.words AND ${where} LIMIT ${max}`;
}

/** By an index on the state, which Postgres reads whole where few definitions are in it and asks for each candidate where many are. */
function conditionsOf({ kind, state, serverId }: Filters): Prisma.Sql {
  const conditions = [
    Prisma.sql`true`,
    ...(kind === undefined ? [] : [Prisma.sql`e.kind = ${kind}`]),
    ...(serverId === undefined ? [] : [Prisma.sql`e.server_id = ${serverId}::uuid`]),
    ...(state === undefined ? [] : [Prisma.sql`e.id IN (SELECT d.id FROM definition d WHERE d.state = ${state}::definition_state)`]),
  ];
  return Prisma.join(conditions, ' AND ');
}

/** What is shown of those that were found: names and states as they are now, texts as they were indexed. */
export async function readFound(db: PrismaClient, ids: readonly string[]): Promise<Map<string, FoundRow>> {
  const rows = await db.$queryRaw<FoundRow[]>`
    SELECT e.id::text AS id, e.kind, coalesce(d.name, s.name) AS name, e.title, e.text, s.slug, s.id::text AS "serverId", d.state::text AS state
    FROM search_entry e JOIN server s ON s.id = e.server_id LEFT JOIN definition d ON d.id = e.id WHERE e.id = ANY(${[...ids]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row]));
}
