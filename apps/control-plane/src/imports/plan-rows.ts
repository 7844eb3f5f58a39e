import type { Server } from '@portcullis/database';
import { STDIO_URL } from '../servers/stdio-url.js';
import { launchNotes, type Imported, type JudgedRow } from './judge-candidate.js';
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

const PROPOSED = [
  'What is to be started differs from the last import, and waits for approval: GET /v1/profiles?state=pending.',
  'Values of its variables were not taken again: PUT /v1/credentials/{id}.',
];

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
  if ((row.launch === undefined) === server.url.startsWith(STDIO_URL))
    return {
      kind: 'refuse',
      code: 'transport_changed',
      detail: 'It was a program and is an address now, or the other way round. Change that singly.',
    };
  const last = readImported(server);
  const change: Record<string, unknown> = {};
  const notes = [...row.notes];
  const proposed = row.launch !== undefined && row.launch.hash !== lastLaunch(server);
  if (proposed) notes.push(...PROPOSED);
  for (const field of owned) {
    if (field === 'url' && row.launch !== undefined) continue;
    const [wanted, current] = [row.imported[field], server[field]];
    if (same(wanted, current) || same(wanted, last[field])) continue;
    if (same(current, last[field])) change[field] = wanted;
    else notes.push(`Its ${field} was changed here by hand and stays.`);
  }
  return Object.keys(change).length === 0 && !proposed ? { kind: 'unchanged', server, notes } : { kind: 'update', server, change, notes };
}

function planNew(row: JudgedRow, source: string, known: KnownServers): Plan {
  const [first = '', second] = slugsWanted(row, source);
  const notes = row.launch === undefined ? row.notes : launchNotes(row.launch);
  if (!known.isTaken(first)) return { kind: 'create', slug: first, notes };
  if (second === undefined || known.isTaken(second))
    return { kind: 'refuse', code: 'slug_taken', detail: `There is another server ${first} already.` };
  return { kind: 'create', slug: second, notes: [...notes, `There is another server ${first} already, so this one is ${second}.`] };
}

/** What the last import said; what it did not say is as it is now. */
function readImported(server: KnownServer): Imported {
  const current = { name: server.name, url: server.url, tags: server.tags, environment: server.environment, description: server.description };
  return server.importedJson === null ? current : { ...current, ...(JSON.parse(server.importedJson) as Partial<Imported>) };
}

/** The hash of the profile that the last import proposed. */
export const lastLaunch = (server: Pick<KnownServer, 'importedJson'>): string | undefined =>
  server.importedJson === null ? undefined : (JSON.parse(server.importedJson) as { launch?: string }).launch;

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
