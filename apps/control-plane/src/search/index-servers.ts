import { createHash } from 'node:crypto';
import { DefinitionKind } from '@portcullis/contracts/names';
import type { Definition, PrismaClient, Server, Transaction } from '@portcullis/database';
import { parseJson } from '@portcullis/mcp';
import { nameKey, plainWords, printable } from './search-text.js';

/** A row of the index, before Postgres makes its document. `a`, `b` and `d` are words by weight. */
interface Entry {
  readonly id: string;
  readonly server_id: string;
  readonly kind: string;
  readonly ref: string;
  readonly name: string;
  readonly words: string;
  readonly title: string | null;
  readonly text: string;
  readonly b: string;
  readonly hash: string;
}

type ServerFields = Pick<Server, 'id' | 'slug' | 'name' | 'tags' | 'description' | 'instructions' | 'url'>;
type DefinitionFields = Pick<Definition, 'id' | 'serverId' | 'kind' | 'name' | 'hash' | 'json'>;

/** Changes with what is made of a row, so that all are made again. */
const FORM = '1';
const DEFINITIONS_AT_ONCE = 500;

/**
 * Brings the index up to date with up to `notesMax` notes of what changed, and gives how many there were. One at a time in the whole installation:
 * where another is at it, nothing is done, or with `isPatient` after it.
 */
export async function indexServers(database: PrismaClient, notesMax: number, isPatient = false): Promise<number> {
  return database.$transaction(
    async (tx) => {
      const [lock] = isPatient
        ? await tx.$queryRaw<{ got: boolean }[]>`SELECT true AS got FROM (SELECT pg_advisory_xact_lock(hashtext('portcullis-search'))) AS held`
        : await tx.$queryRaw<{ got: boolean }[]>`SELECT pg_try_advisory_xact_lock(hashtext('portcullis-search')) AS got`;
      if (lock?.got !== true) return 0;
      const notes = await tx.$queryRaw<{ server_id: string }[]>`DELETE FROM search_dirty
        WHERE id IN (SELECT id FROM search_dirty ORDER BY id LIMIT ${notesMax}) RETURNING server_id::text AS server_id`;
      if (notes.length > 0) await indexThese(tx, [...new Set(notes.map((note) => note.server_id))]);
      return notes.length;
    },
    { maxWait: 10_000, timeout: 60_000 },
  );
}

async function indexThese(tx: Transaction, ids: readonly string[]): Promise<void> {
  const select = { id: true, slug: true, name: true, tags: true, description: true, instructions: true, url: true } as const;
  const servers = await tx.server.findMany({ where: { id: { in: [...ids] } }, select });
  const known = await tx.$queryRaw<
    { id: string; hash: string }[]
  >`SELECT id::text AS id, hash FROM search_entry WHERE server_id = ANY(${[...ids]}::uuid[])`;
  const hashes = new Map(known.map(({ id, hash }) => [id, hash]));
  const isNew = ({ id, hash }: { id: string; hash: string }): boolean => hashes.get(id) !== hash;
  await write(tx, servers.map(ofServer).filter(isNew));
  const slugs = new Map(servers.map(({ id, slug }) => [id, slug]));
  const ofThese = { serverId: { in: [...slugs.keys()] }, kind: { in: DefinitionKind.options } }; // instructions are found with their server
  const heads = await tx.definition.findMany({ where: ofThese, select: { id: true, hash: true } });
  const changed = heads.filter(({ id, hash }) => isNew({ id, hash: hashOf(hash) })).map(({ id }) => id);
  for (let from = 0; from < changed.length; from += DEFINITIONS_AT_ONCE) {
    const where = { id: { in: changed.slice(from, from + DEFINITIONS_AT_ONCE) } };
    const rows = await tx.definition.findMany({ where, select: { id: true, serverId: true, kind: true, name: true, hash: true, json: true } });
    await write(
      tx,
      rows.map((row) => ofDefinition(row, slugs.get(row.serverId) ?? '')),
    );
  }
}

function ofServer({ id, slug, name, tags, description, instructions, url }: ServerFields): Entry {
  const text = printable(description ?? instructions ?? '');
  const entry = { id, server_id: id, kind: 'server', ref: slug, name: nameKey(name), title: printable(name, 300), text };
  const words = plainWords(`${slug} ${name}`);
  const b = plainWords(`${tags.join(' ')} ${new URL(url).hostname}`);
  return { ...entry, words, b, hash: hashOf(JSON.stringify([slug, name, tags, text, url])) };
}

function ofDefinition({ id, serverId, kind, name, hash, json }: DefinitionFields, slug: string): Entry {
  const offered = read(json);
  const title = printable(offered['title'] ?? read(offered['annotations'])['title'], 300);
  // A resource is identified by its address and has a name beside it.
  const named = printable(offered['name'], 300);
  return {
    id,
    server_id: serverId,
    kind,
    ref: nameKey(`${slug}:${name}`),
    name: nameKey(name),
    words: plainWords(printable(name, 300)),
    title: title === '' ? null : title,
    text: printable(offered['description']),
    b: plainWords(`${title} ${named} ${slug}`),
    hash: hashOf(hash),
  };
}

function read(value: unknown): Record<string, unknown> {
  const plain: unknown = value instanceof Uint8Array ? parseJson(Buffer.from(value).toString('utf8')) : value;
  return typeof plain === 'object' && plain !== null ? { ...plain } : {};
}

const hashOf = (text: string): string => createHash('sha256').update(`${FORM} ${text}`).digest('base64').slice(0, 22);

async function write(tx: Transaction, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({ ...entry, d: plainWords(entry.text) }));
  await tx.$executeRaw`
    INSERT INTO search_entry (id, server_id, kind, ref, name, words, title, text, document, hash)
    SELECT id, server_id, kind, ref, name, words, title, text,
      setweight(to_tsvector('simple', words), 'A') || setweight(to_tsvector('simple', b), 'B') || setweight(to_tsvector('english', d), 'D'), hash
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS r (id uuid, server_id uuid, kind text, ref text, name text, words text, title text, text text, b text, d text, hash text)
    ON CONFLICT (id) DO UPDATE SET ref = EXCLUDED.ref, name = EXCLUDED.name, words = EXCLUDED.words, title = EXCLUDED.title, text = EXCLUDED.text,
      document = EXCLUDED.document, hash = EXCLUDED.hash`;
}
