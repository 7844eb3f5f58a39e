import { CreateServer } from '@portcullis/contracts/api/servers';
import type { Transport } from '@portcullis/contracts/names';
import { ProblemError } from '../http/problem.js';
import { holdsSecret } from '../servers/holds-secret.js';
import { requireServerUrl } from '../servers/require-server-url.js';
import { stdioNotSupported } from './from-mcp-json.js';
import { launchFrom, type Launch } from './launch-from-command.js';
import { RowRefused, type Candidate } from './source-row.js';

/** What an import says of a server, and owns until an operator says otherwise. */
export interface Imported {
  readonly name: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly environment: string | null;
  readonly description: string | null;
}

/** A row that may be registered. */
export interface JudgedRow {
  readonly key: string;
  readonly slug: string | undefined;
  readonly title: string;
  readonly transport: Transport | 'stdio';
  readonly imported: Imported;
  /** Of a program that is to be started. */
  readonly launch?: Launch | undefined;
  readonly notes: readonly string[];
}

const NAME_CHARS_MAX = 120;
const DESCRIPTION_CHARS_MAX = 1000;
const CREDENTIALS_SHOWN = 20;

const transports: ReadonlyMap<string, Transport> = new Map([
  ['streamable-http', 'streamable-http'],
  ['streamableHttp', 'streamable-http'],
  ['streamable_http', 'streamable-http'],
  ['http', 'streamable-http'],
  ['sse', 'sse'],
]);

const placeholder = /\$?\{[^}]*\}|<[^>]*>|%7B[^%]*%7D/i;
/** Refuses a row that may not be registered, by the rules of a single registration, and one whose address holds a secret. */
export function judgeCandidate(candidate: Candidate): JudgedRow {
  const { key, slug, title } = candidate;
  const transport = candidate.command === undefined ? transports.get(candidate.transport) : 'stdio';
  if (candidate.transport === 'stdio' && candidate.command === undefined) throw stdioNotSupported(key);
  if (transport === undefined) throw new RowRefused('transport_not_supported', 'The transport is not known here.', { pointer: '/transport', key });
  const launch = candidate.command && launchFrom(candidate.command, key);
  if (launch === undefined) requireAddress(candidate.url, key);
  const name = printable(candidate.name ?? title, NAME_CHARS_MAX);
  const description = printable(candidate.description ?? '', DESCRIPTION_CHARS_MAX);
  const imported = {
    name: name === '' ? printable(key, NAME_CHARS_MAX) : name,
    url: candidate.url,
    tags: [...new Set(candidate.tags)],
    environment: candidate.environment,
    description: description === '' ? null : description,
  };
  return { key, slug, title, transport, imported, launch, notes: notesOf(candidate.credentials) };
}

function requireAddress(url: string, key: string): void {
  const at = { pointer: '/url', key };
  if (placeholder.test(url)) throw new RowRefused('placeholder_in_url', 'The address has a place that is still to be filled in.', at);
  const known = CreateServer.shape.url.safeParse(url);
  if (!known.success) throw new RowRefused('invalid_url', 'The address is no http(s) URL of at most 2,048 characters.', at);
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '')
    throw new RowRefused('secret_in_url', 'The address holds a user name or password. It was not kept.', at);
  if (holdsSecret(parsed)) throw new RowRefused('secret_in_url', 'The address seems to hold a key or token. It was not kept.', at);
  if (parsed.hash !== '') throw new RowRefused('invalid_url', 'The address has a fragment, which is never sent.', at);
  try {
    requireServerUrl(url);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw new RowRefused('url_not_allowed', `${error.faults[0]?.detail ?? 'The address is not allowed'}.`, at);
  }
}

/** What an operator should know of a program that was registered. */
export function launchNotes({ secrets, missing }: Launch): string[] {
  const notes = ['What is to be started waits for approval: GET /v1/profiles?state=pending.'];
  if (secrets.length > 0) notes.push(`Its variables were put into a credential: ${shown(secrets.map(([name]) => name))}.`);
  if (missing.length > 0) notes.push(`It is not started without these variables, which have no value yet: ${shown(missing)}.`);
  return notes;
}

function notesOf(credentials: readonly string[]): string[] {
  if (credentials.length === 0) return [];
  return [`It asks for credentials, and no value was kept: ${shown(credentials)}.`];
}

function shown(all: readonly string[]): string {
  const names = [...new Set(all)].map((name) => printable(name, 64));
  const more = names.length > CREDENTIALS_SHOWN ? ` and ${names.length - CREDENTIALS_SHOWN} more` : '';
  return `${names.slice(0, CREDENTIALS_SHOWN).join(', ')}${more}`;
}

/** Foreign text without characters that act on a terminal or turn its direction, on one line, and of a length that a list can show. */
function printable(text: string, charsMax: number): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > charsMax
    ? `${line
        .slice(0, charsMax - 1)
        .toWellFormed()
        .replaceAll('\uFFFD', '')}…`
    : line;
}
