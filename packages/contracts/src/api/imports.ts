import { z } from 'zod';
import { Id } from '../names.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';
import { CreateServer } from './servers.js';

/** What the rows of an import are written in. */
export const ImportSource = z.enum(['jsonl', 'mcp.json', 'registry', 'csv']);
export type ImportSource = z.infer<typeof ImportSource>;

/** Whose rows they are: the same id of another origin is another server. */
const Origin = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/, 'must be 1–100 characters of A–Z, a–z, 0–9, _ . : -');

/** `id` lets the sender name the import beforehand, so that it can be watched and cancelled while it is still being sent. */
export const CreateImportQuery = z.strictObject({
  source: ImportSource.optional(),
  origin: Origin.default('default'),
  dryRun: z.enum(['true', 'false']).default('false'),
  id: z.uuidv7().optional(),
});
export type CreateImportQuery = z.infer<typeof CreateImportQuery>;

/** Fetches the list of a registry. `updatedSince: last` takes up where the last finished pull from this address began. */
export const PullRegistry = z
  .strictObject({
    /** Base address of the registry; the installation's own when left out. */
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
    updatedSince: z.union([Timestamp, z.literal('last')]).optional(),
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'PullRegistry', examples: [{ updatedSince: 'last' }] });
export type PullRegistry = z.infer<typeof PullRegistry>;

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'is not a header name');

/**
 * A line of JSON Lines. `id` (else `slug`) is what makes the row the same row next time. Only the names of headers and variables are looked at, to
 * say which credentials the server will want: a value is never kept.
 */
export const ImportedRow = z
  .strictObject({
    id: z.string().min(1).max(300),
    slug: CreateServer.shape.slug,
    name: CreateServer.shape.name,
    url: z.string().max(4096),
    transport: z.string().max(64),
    headers: z.union([z.array(headerName).max(100), z.record(headerName, z.unknown())]),
    env: z.union([z.array(z.string().max(200)).max(200), z.record(z.string().max(200), z.unknown())]),
    tags: z.array(CreateServer.shape.tags.unwrap().element).max(50),
    environment: CreateServer.shape.environment.unwrap(),
    description: z.string().max(20_000).nullable(),
  })
  .partial()
  .meta({
    id: 'ImportedRow',
    examples: [{ id: 'crm-1', slug: 'crm', url: 'https://crm.example.com/mcp', tags: ['sales'], headers: ['Authorization'] }],
  });
export type ImportedRow = z.infer<typeof ImportedRow>;

export const ImportState = z.enum(['running', 'finished', 'cancelled', 'interrupted', 'failed']);
export type ImportState = z.infer<typeof ImportState>;

/** A bulk registration: what was received and what became of it. `interrupted`: its sender, or the process that ran it, went away. */
export const Import = z
  .object({
    id: Id,
    source: ImportSource,
    origin: z.string(),
    dryRun: z.boolean(),
    /** The registry it was pulled from. */
    url: z.string().nullable(),
    updatedSince: Timestamp.nullable(),
    state: ImportState,
    /** Why it ended before its end. */
    detail: z.string().nullable(),
    received: z.number().int(),
    created: z.number().int(),
    updated: z.number().int(),
    unchanged: z.number().int(),
    skipped: z.number().int(),
    failed: z.number().int(),
    /** The last revision that it made. */
    revision: z.number().int().nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    finishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Import' });
export type Import = z.infer<typeof Import>;
export const ImportPage = pageOf(Import).meta({ id: 'ImportPage' });

export const ImportRowState = z.enum(['created', 'updated', 'unchanged', 'skipped', 'failed']);
export type ImportRowState = z.infer<typeof ImportRowState>;

/** What became of a row. Unchanged rows are counted, and kept only where there is something to note about them. */
export const ImportRow = z
  .object({
    /** Which row it is, from 1, and the line on which it begins in what was sent. */
    number: z.number().int(),
    line: z.number().int(),
    state: ImportRowState,
    /** Why a row failed or was skipped, for programs and in words; `pointer` leads to the fault within the row. */
    code: z.string().nullable(),
    pointer: z.string().nullable(),
    detail: z.string().nullable(),
    sourceId: z.string().nullable(),
    slug: z.string().nullable(),
    /** What an operator should know of a row that was taken: credentials that were not kept, another slug than wished for. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'ImportRow' });
export type ImportRow = z.infer<typeof ImportRow>;
export const ImportRowPage = pageOf(ImportRow).meta({ id: 'ImportRowPage' });

/** `error` is another word for `failed`. */
export const ListImportRowsQuery = z.strictObject({
  ...pageQuery,
  state: z.enum([...ImportRowState.options, 'error']).optional(),
});
export type ListImportRowsQuery = z.infer<typeof ListImportRowsQuery>;
