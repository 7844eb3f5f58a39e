import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { AuditExportQuery } from '@portcullis/contracts/api/audit-reports';
import type { AuditFilter } from '@portcullis/contracts/api/audit-search';
import type { Author } from '../changes/author.js';
import { ProblemError } from '../http/problem.js';
import { AuditReading } from './audit-reading.js';
import { listCalls, type Found } from './audit.repository.js';
import { csvHeading, csvLine, ndjsonLine } from './export-lines.js';
import { toRecord } from './to-record.js';

const CALLS_AT_ONCE = 200;
const EXPORTS_MAX = 4;
/** Nobody keeps others from theirs. */
const OF_ONE_MAX = 2;

/** Exports of any length: one page of calls is held, and the next is read when the receiver has taken it. Nothing is open in Postgres in between. */
@Injectable()
export class ExportService {
  /** Whose exports run. */
  private readonly running: string[] = [];

  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  /** Throws before the first byte where the beginning cannot be read; a stream that fails later is broken off. */
  async open(author: Author, { format, after, ...filter }: AuditExportQuery): Promise<Readable> {
    this.refuseTooMany(author.name);
    const place = { after, limit: CALLS_AT_ONCE };
    // Counted before anything is waited for, so that many at once are counted too.
    this.running.push(author.name);
    let first: Found;
    try {
      first = await this.audit.reading(author, { export: { format, after, filter } }, (tx) => listCalls(tx, filter, place));
    } catch (error) {
      this.ended(author.name);
      throw error;
    }
    const stream = Readable.from(this.lines(filter, first, { format, heading: after === undefined }), { objectMode: false });
    return stream.once('close', () => this.ended(author.name));
  }

  private refuseTooMany(operator: string): void {
    const ofOne = this.running.filter((name) => name === operator).length;
    if (ofOne >= OF_ONE_MAX) throw new ProblemError('rate_limited', `${OF_ONE_MAX} exports of yours are running here. Try again when one has ended.`);
    if (this.running.length >= EXPORTS_MAX)
      throw new ProblemError('unavailable', `${EXPORTS_MAX} exports are running here. Try again when one has ended.`);
  }

  private ended(operator: string): void {
    this.running.splice(this.running.indexOf(operator), 1);
  }

  private async *lines(
    filter: AuditFilter,
    first: Found,
    { format, heading }: { format: AuditExportQuery['format']; heading: boolean },
  ): AsyncGenerator<string> {
    const line = format === 'csv' ? csvLine : ndjsonLine;
    if (format === 'csv' && heading) yield csvHeading();
    for (let found = first; ;) {
      const { rows, reached } = found;
      if (rows.length > 0) yield rows.map((row) => line(toRecord(row))).join('');
      if (reached === null) return;
      found = await this.audit.bounded((tx) => listCalls(tx, filter, { after: reached, limit: CALLS_AT_ONCE }));
    }
  }
}
