import { ImportedRow } from '@portcullis/contracts/api/imports';
import { RowRefused, type Candidate } from './source-row.js';

/** A row in our own shape. */
export function fromImportedRow(value: unknown): Candidate {
  const parsed = ImportedRow.safeParse(value);
  if (!parsed.success) throw refusalOf(parsed.error.issues, value);
  const row = parsed.data;
  const key = row.id ?? row.slug;
  if (key === undefined) throw new RowRefused('invalid', 'The row has neither an id nor a slug, so it could not be found again.', { pointer: '/id' });
  if (row.url === undefined) throw new RowRefused('invalid', 'The row has no address.', { pointer: '/url', key });
  return {
    key,
    slug: row.slug,
    title: row.name ?? key,
    name: row.name,
    url: row.url,
    transport: row.transport ?? 'streamable-http',
    credentials: [...namesOf(row.headers), ...namesOf(row.env)],
    tags: row.tags ?? [],
    environment: row.environment ?? null,
    description: row.description ?? null,
  };
}

/** Names only, whether they came with values or not. */
export function namesOf(named: unknown): string[] {
  if (Array.isArray(named)) return named.filter((name) => typeof name === 'string');
  return typeof named === 'object' && named !== null ? Object.keys(named) : [];
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code: string;
  readonly keys?: readonly string[];
}

function refusalOf([issue]: readonly Issue[], value: unknown): RowRefused {
  const path = [...(issue?.path ?? []), ...(issue?.keys?.slice(0, 1) ?? [])];
  const pointer = path.map((step) => `/${String(step).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const detail =
    issue?.code === 'unrecognized_keys' ? 'The row has a member that is unknown.' : `The row is not valid: ${issue?.message ?? 'unknown'}.`;
  const key: unknown = typeof value === 'object' && value !== null ? (Reflect.get(value, 'id') ?? Reflect.get(value, 'slug')) : undefined;
  return new RowRefused('invalid', detail, { pointer, ...(typeof key === 'string' ? { key: key.slice(0, 300) } : {}) });
}
