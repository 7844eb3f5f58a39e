import type { Server } from '@portcullis/database';
import type { Imported, JudgedRow } from './judge-candidate.js';
import { markedSlug, slugFrom } from './slug-for.js';

/** A server as far as planning needs it. */
export type KnownServer = Pick<
  Server,
  'id' | 'slug' | 'name' | 'url' | 'tags' | 'environment' | 'description' | 'importSource' | 'importKey' | 'importedJson'
>;

/** What is to be done about a row. */
export type Plan =
  | { readonly kind: 'create'; readonly slug: string; readonly notes: readonly string[] }
  | { readonly kind: 'update'; readonly server: KnownServer; readonly change: Partial<Imported>; readonly notes: readonly string[] }
  | { readonly kind: 'unchanged'; readonly server: KnownServer; readonly notes: readonly string[] }
  | { readonly kind: 'refuse'; readonly code: string; readonly detail: string };

/** The servers that rows may meet: those imported before by key, and everything that has a slug. */
export interface KnownServers {
  byKey(key: string): KnownServer | undefined;
  isTaken(slug: string): boolean;
}

const owned = ['name', 'url', 'tags', 'environment', 'description'] as const;

/** Slugs that a row may want, so that the database is asked for them before. */
export function slugsWanted({ key, slug, title }: Pick<JudgedRow, 'key' | 'slug' | 'title'>, source: string): string[] {
  if (slug !== undefined) return [slug];
  const first = slugFrom(title);
  return [first, markedSlug(first, source, key)];
}

/** Decides about one row. A field that an operator has changed since the last import is the operator's, and stays. */
export function planRow(row: JudgedRow, source: string, known: KnownServers): Plan {
  const server = known.byKey(row.key);
  if (server === undefined) return planNew(row, source, known);
  const last = readImported(server);
  const change: Record<string, unknown> = {};
  const notes = [...row.notes];
  for (const field of owned) {
    const [wanted, current] = [row.imported[field], server[field]];
    if (same(wanted, current) || same(wanted, last[field])) continue;
    if (same(current, last[field])) change[field] = wanted;
    else notes.push(`Its ${field} was changed here by hand and stays.`);
  }
  return Object.keys(change).length === 0 ? { kind: 'unchanged', server, notes } : { kind: 'update', server, change, notes };
}

function planNew(row: JudgedRow, source: string, known: KnownServers): Plan {
  const [first = '', second] = slugsWanted(row, source);
  if (!known.isTaken(first)) return { kind: 'create', slug: first, notes: row.notes };
  if (second === undefined || known.isTaken(second))
    return { kind: 'refuse', code: 'slug_taken', detail: `There is another server ${first} already.` };
  return { kind: 'create', slug: second, notes: [...row.notes, `There is another server ${first} already, so this one is ${second}.`] };
}

/** What the last import said; what it did not say is as it is now. */
function readImported(server: KnownServer): Imported {
  const current = { name: server.name, url: server.url, tags: server.tags, environment: server.environment, description: server.description };
  return server.importedJson === null ? current : { ...current, ...(JSON.parse(server.importedJson) as Partial<Imported>) };
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
