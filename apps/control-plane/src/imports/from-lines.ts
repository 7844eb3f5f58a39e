import { parseJson } from '@portcullis/mcp';
import { findFault } from '../http/plain-json.js';
import { readLines } from './read-lines.js';
import { RowRefused, type Candidate, type SourceRow } from './source-row.js';

export const LINE_BYTES_MAX = 256 * 1024;

/** JSON Lines: one value a line, given to `toCandidate` when its turn comes. */
export async function* fromLines(body: AsyncIterable<Uint8Array>, toCandidate: (value: unknown) => Candidate): AsyncGenerator<SourceRow> {
  for await (const { line, text, isTooLong } of readLines(body, LINE_BYTES_MAX)) {
    yield {
      line,
      read: () => {
        if (isTooLong) throw new RowRefused('line_too_long', `The line is longer than ${LINE_BYTES_MAX} bytes.`);
        if (text === undefined) throw new RowRefused('malformed', 'The line is not UTF-8.');
        return toCandidate(requirePlain(parse(text)));
      },
    };
  }
}

/** The value, if Postgres can store all its texts and no code of ours can stumble over its depth. */
export function requirePlain(value: unknown): unknown {
  const fault = findFault(value);
  if (fault !== undefined) throw new RowRefused('malformed', `The text ${fault.detail}.`, { pointer: fault.pointer });
  return value;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The engine's own words would quote the line, and what is in it.
    throw new RowRefused('malformed', 'The line is not valid JSON.');
  }
}
