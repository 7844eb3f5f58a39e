import { Readable } from 'node:stream';
import { CsvError, parse, type Info } from 'csv-parse';
import { fromImportedRow } from './from-json-lines.js';
import { LINE_BYTES_MAX, requirePlain } from './from-lines.js';
import { RowRefused, SourceUnreadable, type Candidate, type SourceRow } from './source-row.js';

/** Columns of our own shape. `tags` and `headers` hold several values, separated by `;`. */
const columns = ['id', 'slug', 'name', 'url', 'transport', 'tags', 'environment', 'description', 'headers'] as const;
type Column = (typeof columns)[number];
type Cells = Partial<Record<Column, string>>;

/** Broken rows that may come without a sound one between them: they are kept until one comes. */
const BROKEN_MAX = 10_000;

interface Parsed {
  readonly record: Cells;
  readonly info: Info;
}

/** RFC 4180 with a header row. A row that is broken in itself is refused alone; without a usable header nothing can be read. */
export async function* fromCsv(body: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRow> {
  const broken: SourceRow[] = [];
  const parser = parse({
    bom: true,
    columns: (header: string[]) => columnsOf(header),
    info: true,
    skip_empty_lines: true,
    max_record_size: LINE_BYTES_MAX,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (broken.push(brokenRow(error)) > BROKEN_MAX) parser.destroy(new SourceUnreadable(`More than ${BROKEN_MAX} rows on end cannot be read.`));
    },
  });
  const source = Readable.from(body);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      yield* broken.splice(0);
      yield { line: info.lines, read: () => toCandidate(record) };
    }
    yield* broken.splice(0);
  } catch (error) {
    yield* broken.splice(0);
    throw error instanceof CsvError ? new SourceUnreadable(`The CSV cannot be read: ${reasonOf(error)}.`) : error;
  } finally {
    source.destroy();
  }
}

const PLAIN_NAME = /^[a-z_ -]{1,24}$/;

function columnsOf(header: readonly string[]): Column[] {
  const names = header.map((name) => name.trim().toLowerCase());
  for (const [at, name] of names.entries()) {
    if (!columns.some((column) => column === name)) {
      // Without a header the first row of values stands there, and what is in it is told to nobody.
      const called = PLAIN_NAME.test(name) ? ` (${name})` : '';
      throw new SourceUnreadable(`Column ${at + 1} of the header row${called} is unknown. Known are ${columns.join(', ')}.`);
    }
  }
  if (new Set(names).size < names.length) throw new SourceUnreadable('The header row names a column twice.');
  if (!names.includes('url')) throw new SourceUnreadable('The header row names no column url.');
  return names as Column[];
}

function toCandidate(cells: Cells): Candidate {
  // An empty cell says nothing.
  const said = Object.fromEntries(Object.entries(cells).filter(([, text]) => text !== ''));
  const listed = Object.fromEntries(
    (['tags', 'headers'] as const).flatMap((column) => {
      const text = said[column];
      if (text === undefined) return [];
      // `Name: value` is cut before the value. No tag holds a comma or a blank, so people may part them by what they are used to.
      const items = column === 'tags' ? text.split(/[;,\s]/) : text.split(';').map((item) => (item.split(':')[0] ?? '').trim());
      return [[column, items.filter((item) => item !== '')]];
    }),
  );
  return fromImportedRow(requirePlain({ ...said, ...listed }));
}

function brokenRow(error: CsvError | undefined): SourceRow {
  const line = Number(error?.['lines'] ?? 0);
  const read = (): never => {
    throw new RowRefused('malformed', `The row cannot be read: ${reasonOf(error)}.`);
  };
  return { line, read };
}

/** The parser's own words would quote the row. */
function reasonOf(error: CsvError | undefined): string {
  if (error?.code === 'CSV_MAX_RECORD_SIZE') return `it is longer than ${LINE_BYTES_MAX} bytes`;
  if (error?.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote is not closed';
  if (error?.code.startsWith('CSV_RECORD_INCONSISTENT') === true) return 'it has more or fewer cells than the header row';
  return 'its quotes are not those of CSV';
}
