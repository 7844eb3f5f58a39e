import type { AuditExportQuery } from '@portcullis/contracts/api/audit-reports';

const LF = 0x0a;
const QUOTE = 0x22;
const ID = /^(?:\{"callId":")?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[",]/;

/**
 * Cuts what comes of an export into whole records, so that what breaks off breaks off between two: nothing of an unfinished one is given. Knows the call
 * of the last, behind which an export goes on.
 */
export class WholeRecords {
  /** The last call of which all was given. */
  lastCallId: string | undefined;
  /** Bytes of whole records, of a heading too. */
  bytes = 0;
  private rest: Uint8Array = new Uint8Array(0);
  private scanned = 0;
  private isQuoted = false;

  constructor(private readonly format: AuditExportQuery['format']) {}

  /** The records that these bytes complete. */
  push(chunk: Uint8Array): Uint8Array {
    const all = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let start = 0;
    for (let at = this.scanned; at < all.length; at += 1) {
      const byte = all[at];
      // A line break within quotes is part of a cell. JSON has none within a line, and its quotes are not always in pairs.
      if (byte === QUOTE && this.format === 'csv') this.isQuoted = !this.isQuoted;
      if (byte !== LF || this.isQuoted) continue;
      this.note(all.subarray(start, at + 1));
      start = at + 1;
    }
    this.rest = all.subarray(start);
    this.scanned = this.rest.length;
    this.bytes += start;
    return all.subarray(0, start);
  }

  private note(record: Uint8Array): void {
    const [, id] = ID.exec(Buffer.from(record.subarray(0, 64)).toString('latin1')) ?? [];
    if (id !== undefined) this.lastCallId = id;
  }
}
