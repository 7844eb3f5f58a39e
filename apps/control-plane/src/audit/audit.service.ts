import { Inject, Injectable } from '@nestjs/common';
import type { AuditFilter, ListAuditQuery } from '@portcullis/contracts/api/audit-search';
import type { AuditTimelineQuery } from '@portcullis/contracts/api/audit-calls';
import type { AuditRecord, AuditRecordPage } from '@portcullis/contracts/api/operations';
import type { ShadowReport } from '@portcullis/contracts/api/shadow-report';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { decodeCursor, encodeCursor, IdCursor } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { AuditReading } from './audit-reading.js';
import { findCall, listCalls, type Found } from './audit.repository.js';
import { readShadowCalls } from './shadow-report.repository.js';
import { toRecord } from './to-record.js';

/** How far back a report looks unless it is told. */
const SHADOW_REPORT_MS = 7 * 86_400_000;

/** What was done. */
@Injectable()
export class AuditService {
  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  async list(author: Author, { limit, cursor, ...filter }: ListAuditQuery): Promise<z.infer<typeof AuditRecordPage>> {
    return this.page(author, { filter }, filter, { limit, cursor });
  }

  /** The calls of one agent or one trace as they happened, oldest first. */
  async timeline(author: Author, { limit, cursor, ...filter }: AuditTimelineQuery): Promise<z.infer<typeof AuditRecordPage>> {
    return this.page(author, { timeline: filter }, filter, { limit, cursor, oldestFirst: true });
  }

  async read(author: Author, callId: string): Promise<AuditRecord> {
    const row = await this.audit.reading(author, { callId }, (tx) => findCall(tx, callId));
    if (row === undefined) throw notFound('audit event');
    return toRecord(row);
  }

  async shadowReport(author: Author, grantId: string, wanted: string | undefined): Promise<ShadowReport> {
    const since = wanted === undefined ? new Date(Date.now() - SHADOW_REPORT_MS) : new Date(wanted);
    return this.audit.reading(author, { shadowOf: grantId, since: since.toISOString() }, async (tx) => {
      const grant = await tx.grant.findUnique({ where: { id: grantId }, select: { mode: true } });
      if (grant === null) throw notFound('grant');
      return { grantId, mode: grant.mode, since: since.toISOString(), ...(await readShadowCalls(tx, grantId, since)) };
    });
  }

  private async page(
    author: Author,
    detail: Readonly<Record<string, unknown>>,
    filter: AuditFilter,
    { cursor, ...place }: { limit: number; cursor: string | undefined; oldestFirst?: boolean },
  ): Promise<z.infer<typeof AuditRecordPage>> {
    const after = decodeCursor(cursor, IdCursor)?.[0];
    return pageOf(await this.audit.reading(author, detail, (tx) => listCalls(tx, filter, { ...place, after })));
  }
}

const pageOf = ({ rows, reached }: Found): z.infer<typeof AuditRecordPage> => ({
  items: rows.map(toRecord),
  nextCursor: reached === null ? null : encodeCursor([reached]),
});
