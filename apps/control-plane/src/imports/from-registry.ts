import { parseJson } from '@portcullis/mcp';
import { z } from 'zod';
import { stdioNotSupported } from './from-mcp-json.js';
import { requirePlain } from './from-lines.js';
import { RowRefused, SourceUnreadable, type Candidate, type SourceRow } from './source-row.js';

/** A registry's server.json, as far as a registration needs it; whatever else is in it is ignored. */
const ServerJson = z.object({
  name: z.string().min(1).max(300),
  title: z.string().optional(),
  description: z.string().optional(),
  status: z.string().optional(),
  remotes: z
    .array(
      z.object({
        type: z.string(),
        url: z.string(),
        headers: z
          .array(z.object({ name: z.string() }))
          .max(100)
          .optional(),
      }),
    )
    .max(50)
    .optional(),
  packages: z.array(z.unknown()).optional(),
});

const officialMeta = 'io.modelcontextprotocol.registry/official';
const Official = z.object({ status: z.string().optional(), isLatest: z.boolean().optional() });
const Meta = z.object({ [officialMeta]: Official.optional() });
/** Lists wrap it; a document of one server is it. */
const Wrapped = z.object({ server: z.unknown(), _meta: Meta.optional() });

const transports = ['streamable-http', 'sse'];

/** An entry of a registry's list, or a server.json itself. Older versions and withdrawn servers are skipped: an import removes nothing. */
export function fromServerJson(value: unknown): Candidate {
  const wrapped = Wrapped.safeParse(value);
  const isWrapped = wrapped.success && wrapped.data.server !== undefined;
  const parsed = ServerJson.safeParse(isWrapped ? wrapped.data.server : value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const pointer = [...(isWrapped ? ['server'] : []), ...(issue?.path ?? [])].map((step) => `/${String(step)}`).join('');
    throw new RowRefused('invalid', 'The entry is not a server.json.', { pointer });
  }
  const { name: key, title, description, status, remotes = [] } = parsed.data;
  const official = isWrapped ? wrapped.data._meta?.[officialMeta] : undefined;
  if (official?.isLatest === false) throw skipped('superseded', 'The entry is not the latest version of the server.', key);
  if ((official?.status ?? status) === 'deleted') throw skipped('withdrawn', 'The registry has withdrawn the server. Nothing is removed here.', key);
  const remote = transports.map((type) => remotes.find((one) => one.type === type)).find((one) => one !== undefined) ?? remotes[0];
  if (remote === undefined) throw stdioNotSupported(key);
  return {
    key,
    title: key.split('/').at(-1) ?? key,
    name: title ?? key,
    url: remote.url,
    transport: remote.type,
    credentials: remote.headers?.map(({ name }) => name) ?? [],
    tags: [],
    environment: null,
    description: description ?? null,
  };
}

const skipped = (code: string, detail: string, key: string): RowRefused => new RowRefused(code, detail, { key, isSkipped: true });

/** A page of a registry's list: its entries, and where the next page begins. */
export const RegistryPage = z.object({
  servers: z.array(z.unknown()),
  metadata: z.object({ nextCursor: z.string().nullish(), next_cursor: z.string().nullish() }).nullish(),
});

/** The entries of a document: a list as the registry answers it, an array, or one server. */
export function* fromRegistryDocument(text: string): Generator<SourceRow> {
  let document: unknown;
  try {
    document = parseJson(text);
  } catch {
    throw new SourceUnreadable('The document is not valid JSON.');
  }
  const page = RegistryPage.safeParse(document);
  const entries: unknown[] = page.success ? page.data.servers : Array.isArray(document) ? document : [document];
  for (const [at, entry] of entries.entries()) yield { line: at + 1, read: () => fromServerJson(requirePlain(entry)) };
}
