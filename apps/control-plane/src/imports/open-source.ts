import type { ImportSource } from '@portcullis/contracts/api/imports';
import { ProblemError } from '../http/problem.js';
import { fromCsv } from './from-csv.js';
import { fromImportedRow } from './from-json-lines.js';
import { fromLines } from './from-lines.js';
import { fromMcpJson } from './from-mcp-json.js';
import { fromRegistryDocument, fromServerJson } from './from-registry.js';
import { SourceUnreadable, type SourceRow } from './source-row.js';

/** What is read as a whole before its first row: documents. */
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024;

export interface OpenSource {
  readonly source: ImportSource;
  readonly rows: (body: AsyncIterable<Uint8Array>) => AsyncIterable<SourceRow>;
}

const lineTypes: ReadonlySet<string> = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines']);
const documentTypes: ReadonlySet<string> = new Set(['application/json', 'application/jsonc', 'application/vnd.mcp+json']);

/** The reader for a body, by what its sender calls it. Refuses (415, 400) what is none of the sources. */
export function openSource(wanted: ImportSource | undefined, contentType: string): OpenSource {
  if (contentType === 'text/csv') return requireSame(wanted, { source: 'csv', rows: fromCsv });
  if (lineTypes.has(contentType)) {
    if (wanted === 'registry') return { source: 'registry', rows: (body) => fromLines(body, fromServerJson) };
    return requireSame(wanted, { source: 'jsonl', rows: (body) => fromLines(body, fromImportedRow) });
  }
  if (!documentTypes.has(contentType))
    throw new ProblemError('unsupported_media_type', 'An import is application/x-ndjson, application/json or text/csv.');
  if (wanted === undefined)
    throw new ProblemError('validation', undefined, [{ pointer: '/source', detail: 'must say which document this is: mcp.json or registry' }]);
  if (wanted === 'mcp.json') return { source: wanted, rows: (body) => fromDocument(body, fromMcpJson) };
  return requireSame(wanted, { source: 'registry', rows: (body) => fromDocument(body, fromRegistryDocument) });
}

function requireSame(wanted: ImportSource | undefined, open: OpenSource): OpenSource {
  if (wanted === undefined || wanted === open.source) return open;
  throw new ProblemError('validation', undefined, [
    { pointer: '/source', detail: `does not go with this content type, which is for ${open.source}` },
  ]);
}

async function* fromDocument(body: AsyncIterable<Uint8Array>, rows: (text: string) => Iterable<SourceRow>): AsyncGenerator<SourceRow> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > DOCUMENT_BYTES_MAX)
      throw new SourceUnreadable(`The document is larger than ${DOCUMENT_BYTES_MAX / 1024 / 1024} MiB. Send it as lines.`);
    chunks.push(chunk);
  }
  yield* rows(decode(Buffer.concat(chunks)));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SourceUnreadable('The document is not UTF-8.');
  }
}
