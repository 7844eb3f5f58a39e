import { createHash, type Hash } from 'node:crypto';
import type { AuditProofRow, AuditSegment } from '@portcullis/contracts/api/audit-proof';
import type { Findings } from './findings.js';
import { hashStored } from './stored-event.js';

interface Run {
  readonly segment: AuditSegment;
  readonly digest: Hash;
  nextSeq: number;
  hasAll: boolean;
}

/** The rows of one block, held against the segments that it says they are. */
export class BlockRows {
  private readonly runs = new Map<string, Run[]>();
  unhashed = 0;

  constructor(
    private readonly block: number,
    segments: readonly AuditSegment[],
    private readonly findings: Findings,
  ) {
    for (const segment of segments) {
      const [day, node, boot, firstSeq] = segment;
      const key = keyOf(day, node, boot);
      const run = { segment, digest: createHash('sha256'), nextSeq: firstSeq, hasAll: true };
      this.runs.set(key, [...(this.runs.get(key) ?? []), run]);
    }
  }

  /** Rows of one boot and day come in the order of their numbers. */
  take(row: AuditProofRow): void {
    const { day, node, boot, event, requestId } = row;
    const { seq } = event;
    const place = { block: this.block, node, boot, firstSeq: seq };
    const run = this.runs.get(keyOf(day, node, boot))?.find(({ segment: [, , , first, last] }) => seq >= first && seq <= last);
    if (run === undefined) return this.findings.add('row_inserted', place, 'A row that was not there when the block was sealed');
    if (seq > run.nextSeq) this.missing(run, seq - 1);
    run.nextSeq = seq + 1;
    const stored = row.hash === null ? Buffer.alloc(0) : Buffer.from(row.hash, 'base64');
    run.digest.update(stored);
    if (row.hash === null) this.unhashed += 1;
    else if (hashStored({ event, requestId, frame: row.frame === null ? null : Buffer.from(row.frame, 'base64') }) !== stored.toString('latin1'))
      this.findings.add('row_altered', place, 'The row is not what its hash was made of');
  }

  /** Says what is missing or differs. Of a day that was dropped nothing is left to be compared: says how many events that are. */
  end(isDropped: (day: string) => boolean): number {
    let dropped = 0;
    for (const run of [...this.runs.values()].flat()) {
      const { segment } = run;
      const [day, node, boot, firstSeq, lastSeq, digest] = segment;
      if (isDropped(day) && run.nextSeq === firstSeq) {
        dropped += lastSeq - firstSeq + 1;
        continue;
      }
      if (run.nextSeq <= lastSeq) this.missing(run, lastSeq);
      const place = { block: this.block, node, boot, firstSeq, lastSeq };
      if (run.hasAll && run.digest.digest('hex') !== digest)
        this.findings.add('rows_altered', place, 'One of these rows was altered, and its hash with it');
    }
    return dropped;
  }

  private missing(run: Run, lastSeq: number): void {
    const [, node, boot] = run.segment;
    run.hasAll = false;
    this.findings.add(
      'row_missing',
      { block: this.block, node, boot, firstSeq: run.nextSeq, lastSeq },
      'Rows that were there when the block was sealed',
    );
  }
}

const keyOf = (day: string, node: string, boot: string): string => `${day} ${node} ${boot}`;
