import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Import, ImportSource } from '@portcullis/contracts/api/imports';
import type { ApiClient, ImportBody } from '@portcullis/api-client';
import { v7 } from 'uuid';
import { CliError, messageOf } from '../cli-error.js';
import type { Connection } from '../connection.js';
import { plainText } from '../plain-text.js';
import type { Say } from '../progress.js';

export interface ImportOptions {
  /** A file, `-` for standard input, or an address. */
  readonly from: string;
  readonly source: ImportSource | undefined;
  readonly origin: string | undefined;
  readonly dryRun: boolean;
}

export interface ImportTerminal {
  readonly print: (text: string) => void;
  readonly say: Say;
}

const exitDone = 0;
/** Rows failed, or the import ended before its end. */
const exitIncomplete = 1;

const LOOK_MS = 1000;
const FAULTS_SHOWN = 20;
const NOTED_LOOKED_AT = 200;

const types: Readonly<Record<ImportSource, string>> = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv',
  'mcp.json': 'application/json',
  registry: 'application/json',
};

/** Registers servers in bulk, tells how far it is, and gives the exit code: 0 when every row was taken or is none of ours. */
export async function importServers(options: ImportOptions, { api }: Connection, { print, say }: ImportTerminal): Promise<number> {
  const done = await watch(await begin(options, api), api, say);
  const { created, updated, unchanged, skipped, failed, received } = done;
  const verb = done.dryRun ? 'would be' : 'were';
  print(`${received} rows: ${created} ${verb} created, ${updated} updated, ${unchanged} unchanged, ${skipped} skipped, ${failed} failed.`);
  if (done.state !== 'finished') print(`The import did not finish (${done.state})${done.detail === null ? '.' : `: ${plainText(done.detail, 500)}`}`);
  await tellRows(done, api, print);
  if (created + updated > 0) await tellNotes(done, api, print);
  if (created > 0 && !done.dryRun) print('Nothing is approved yet: the new servers are discovered one after the other.');
  return failed === 0 && done.state === 'finished' ? exitDone : exitIncomplete;
}

interface Begun {
  readonly id: string;
  /** Settles when the last row was sent and written; undefined where the control plane fetches the rows itself. */
  readonly sent: Promise<Import> | undefined;
}

async function begin({ from, source, origin, dryRun }: ImportOptions, api: ApiClient): Promise<Begun> {
  const isAddress = /^https?:\/\//.test(from);
  if (isAddress && (source ?? 'registry') === 'registry') return { id: (await api.imports.pull({ url: from, dryRun })).id, sent: undefined };
  const known = source ?? sourceOf(from);
  const id = v7();
  const body = isAddress ? await download(from, types[known]) : await readInput(from, types[known]);
  const query = { id, source: known, dryRun: dryRun ? 'true' : 'false', ...(origin === undefined ? {} : { origin }) } as const;
  return { id, sent: api.imports.create(body, query) };
}

function sourceOf(from: string): ImportSource {
  const name = from.toLowerCase();
  if (name.endsWith('server.json')) return 'registry';
  const source = ({ '.json': 'mcp.json', '.jsonc': 'mcp.json', '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' } as const)[extname(name)];
  if (source === undefined) throw new CliError(`It cannot be told what ${from} is. Say it with --source.`);
  return source;
}

async function readInput(from: string, contentType: string): Promise<ImportBody> {
  if (from === '-') return { contentType, chunks: process.stdin };
  const file = await open(from).catch((error: unknown) => {
    throw new CliError(`${from} cannot be read: ${messageOf(error)}`);
  });
  return { contentType, chunks: file.createReadStream() };
}

async function download(url: string, contentType: string): Promise<ImportBody> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new CliError(`${url} cannot be fetched: ${messageOf(error)}`);
  });
  if (!response.ok || response.body === null) throw new CliError(`${url} answered with HTTP ${response.status}.`);
  return { contentType, chunks: response.body };
}

/** Tells of progress until it has ended. */
async function watch({ id, sent }: Begun, api: ApiClient, say: Say): Promise<Import> {
  let isOver = false;
  const told = (async () => {
    for (let last = ''; ;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
      if (isOver) return undefined;
      const now = await api.imports.read(id).catch(() => undefined);
      const line = now === undefined ? last : `${now.received} rows: ${now.created} created, ${now.updated} updated, ${now.failed} failed …`;
      if (line !== last) say(line);
      last = line;
      if (sent === undefined && now !== undefined && now.state !== 'running') return now;
    }
  })();
  if (sent === undefined) return (await told) ?? api.imports.read(id);
  try {
    return await sent;
  } finally {
    isOver = true;
  }
}

/** What an administrator has to do about servers that were taken, such as giving credentials that were not kept. */
async function tellNotes({ id }: Import, api: ApiClient, print: (text: string) => void): Promise<void> {
  for (const state of ['created', 'updated'] as const) {
    const { items, nextCursor } = await api.imports.rows(id).page({ state, limit: NOTED_LOOKED_AT });
    const noted = items.filter(({ notes }) => notes.length > 0);
    for (const { slug, notes } of noted.slice(0, FAULTS_SHOWN))
      print(`  ${plainText(slug, 80)}: ${notes.map((note) => plainText(note, 300)).join(' ')}`);
    if (noted.length > FAULTS_SHOWN || (noted.length > 0 && nextCursor !== null))
      print(`  … perhaps more: GET /v1/imports/${id}/rows?state=${state}`);
  }
}

async function tellRows({ id, failed, skipped }: Import, api: ApiClient, print: (text: string) => void): Promise<void> {
  if (failed === 0 && skipped === 0) return;
  for (const state of ['failed', 'skipped'] as const) {
    const { items, nextCursor } = await api.imports.rows(id).page({ state, limit: FAULTS_SHOWN });
    for (const { line, code, pointer, detail, sourceId } of items) {
      const where = [sourceId === null ? '' : ` ${plainText(sourceId, 80)}`, pointer === null || pointer === '' ? '' : ` at ${plainText(pointer)}`];
      print(`  line ${line}${where.join('')}: ${state}, ${plainText(detail, 300)} (${plainText(code)})`);
    }
    if (nextCursor !== null) print(`  … and more: GET /v1/imports/${id}/rows?state=${state}`);
  }
}
