import { setTimeout as sleep } from 'node:timers/promises';
import { EgressRefused } from '@portcullis/egress';
import { readText } from '@portcullis/secrets';
import { parseJson } from '@portcullis/mcp';
import { fromServerJson, RegistryPage } from './from-registry.js';
import { requirePlain } from './from-lines.js';
import { SourceInterrupted } from './run-import.js';
import { SourceUnreadable, type SourceRow } from './source-row.js';

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const PAGE_ROWS = 100;
/** Unpacked. A hundred entries, each with more to say than any has. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_MS = 30_000;
const ATTEMPTS = 3;
const PAUSE_MS_MAX = 30_000;

/** The versions of the registry's API, newest first; both list servers in the same way. */
const versions = ['v0.1', 'v0'];

/** Every server that a registry lists, page after page, as far as the caller reads on. */
export async function* pullRegistry(fetch: Fetch, base: string, updatedSince: Date | null, signal: AbortSignal): AsyncGenerator<SourceRow> {
  let list = listsAt(base);
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let number = 0;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_ROWS), version: 'latest' });
    if (cursor !== undefined) query.set('cursor', cursor);
    if (updatedSince !== null) query.set('updated_since', updatedSince.toISOString());
    const found = await readFirst(list, query, fetch, signal);
    list = [found.list];
    for (const entry of found.page.servers) {
      number += 1;
      yield { line: number, read: () => fromServerJson(requirePlain(entry)) };
    }
    cursor = (found.page.metadata?.nextCursor ?? found.page.metadata?.next_cursor) || undefined;
    if (cursor !== undefined && cursors.has(cursor)) throw new SourceUnreadable('The registry gave the same cursor twice.');
    if (cursor !== undefined) cursors.add(cursor);
  } while (cursor !== undefined);
}

/** Where the list may be: a base address may name the version of the API. */
function listsAt(base: string): string[] {
  const plain = base.replace(/\/+$/, '');
  return /\/v\d+(?:\.\d+)?$/.test(plain) ? [`${plain}/servers`] : versions.map((version) => `${plain}/${version}/servers`);
}

interface FoundPage {
  readonly list: string;
  readonly page: ReturnType<typeof RegistryPage.parse>;
}

async function readFirst(lists: readonly string[], query: URLSearchParams, fetch: Fetch, signal: AbortSignal): Promise<FoundPage> {
  for (const list of lists) {
    const page = await readPage(`${list}?${query.toString()}`, fetch, signal);
    if (page !== undefined) return { list, page };
  }
  throw new SourceUnreadable('There is no registry at this address (HTTP 404).');
}

/** Undefined where there is no such list. Asks again when the registry is busy or cannot be reached. */
async function readPage(url: string, fetch: Fetch, signal: AbortSignal): Promise<FoundPage['page'] | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask(url, fetch, signal);
    if (answer.text !== undefined) return parsePage(answer.text);
    if (answer.status === 404) return undefined;
    const isBusy = answer.status === undefined || answer.status === 429 || answer.status >= 500;
    if (!isBusy || attempt === ATTEMPTS) throw new SourceInterrupted(answer.reason);
    await sleep(Math.min(answer.pauseMs ?? 500 * 2 ** attempt, PAUSE_MS_MAX), undefined, { signal }).catch(() => undefined);
  }
}

interface RegistryAnswer {
  readonly text?: string;
  readonly status?: number;
  readonly reason: string;
  readonly pauseMs?: number;
}

async function ask(url: string, fetch: Fetch, signal: AbortSignal): Promise<RegistryAnswer> {
  if (signal.aborted) throw new SourceInterrupted('The pull was stopped.');
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' }, signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_MS)]) });
    if (response.ok) {
      const text = await readText(response, PAGE_BYTES_MAX);
      if (text === undefined) throw new SourceUnreadable('The registry answered with more than a page may hold.');
      return { text, reason: '' };
    }
    await response.body?.cancel();
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      status: response.status,
      reason: `The registry answered with HTTP ${response.status}.`,
      ...(Number.isFinite(seconds) ? { pauseMs: seconds * 1000 } : {}),
    };
  } catch (error) {
    if (error instanceof SourceUnreadable) throw error;
    if (error instanceof EgressRefused) throw new SourceUnreadable(`${error.message}.`);
    return { reason: 'The registry cannot be reached, or did not answer in time.' };
  }
}

function parsePage(text: string): FoundPage['page'] {
  try {
    return RegistryPage.parse(parseJson(text));
  } catch {
    throw new SourceUnreadable('The registry did not answer with a list of servers.');
  }
}
