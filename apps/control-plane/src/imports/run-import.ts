import { createHash } from 'node:crypto';
import type { ImportState } from '@portcullis/database';
import type { ImportRun } from './import-run.js';
import { keepAlive } from './imports.repository.js';
import { inBatches } from './in-batches.js';
import { judgeCandidate } from './judge-candidate.js';
import type { NumberedRow } from './plan-batch.js';
import { RowRefused, SourceUnreadable, type SourceRow } from './source-row.js';
import { ImportEnded, writeBatch, type WriteParts } from './write-batch.js';

/** How an import ended; null when somebody else ended it. */
export type ImportEnding = { readonly state: ImportState; readonly detail: string | null } | null;

/** The rows stopped coming before their end; `message` is for the operator. */
export class SourceInterrupted extends Error {
  override readonly name = 'SourceInterrupted';
}

const ROWS_AT_ONCE = 500;
const LOOK_MS = 1000;

/** Reads rows as fast as they can be written, and no faster. A faulty row never ends it. */
export async function runImport(parts: WriteParts, run: ImportRun, rows: AsyncIterable<SourceRow>, rowsMax: number): Promise<ImportEnding> {
  const judge = createJudge();
  let number = 0;
  try {
    for await (const batch of inBatches(rows, ROWS_AT_ONCE, LOOK_MS)) {
      const room = rowsMax - number;
      const numbered = batch.slice(0, room).map((row) => judge(row, (number += 1)));
      if (numbered.length > 0) await writeBatch(parts, run, numbered);
      else if (!(await keepAlive(parts.database, run.id))) return null;
      if (batch.length > room) return { state: 'failed', detail: `There are more than ${rowsMax} rows. The first ${rowsMax} were taken.` };
    }
    return { state: 'finished', detail: null };
  } catch (error) {
    if (error instanceof ImportEnded) return null;
    if (error instanceof SourceUnreadable) return { state: 'failed', detail: error.message };
    if (error instanceof SourceInterrupted) return { state: 'interrupted', detail: error.message };
    throw error;
  }
}

/** Judges rows one by one, and refuses a key that an earlier row of this import had. */
function createJudge(): (row: SourceRow, number: number) => NumberedRow {
  const seen = new Set<string>();
  return (row, number) => {
    const { line } = row;
    try {
      const judged = judgeCandidate(row.read());
      const mark = createHash('sha256').update(judged.key).digest('base64').slice(0, 22);
      if (seen.has(mark)) throw new RowRefused('duplicate', 'An earlier row has the same id.', { key: judged.key });
      seen.add(mark);
      return { number, line, judged };
    } catch (error) {
      if (error instanceof RowRefused) return { number, line, refused: error };
      throw error;
    }
  };
}
