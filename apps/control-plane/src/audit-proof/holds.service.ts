import { Inject, Injectable } from '@nestjs/common';
import type { AuditHold, AuditHoldsQuery, CreateAuditHold } from '@portcullis/contracts/api/audit-retention';
import type { Page } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type AuditHold as HoldRow } from '@portcullis/database';
import { v7 } from 'uuid';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';

/** What must not be dropped, whatever its age. */
@Injectable()
export class HoldsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
  ) {}

  async list({ limit, cursor, released }: AuditHoldsQuery): Promise<Page<AuditHold>> {
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    const where = { releasedAt: released ? { not: null } : null, ...(before !== undefined && { id: { lt: before } }) };
    const rows = await this.database.auditHold.findMany({ where, orderBy: { id: 'desc' }, take: limit + 1 });
    return pageFrom(rows, limit, toHold, ({ id }) => [id]);
  }

  async create(author: Author, { reason, from, to, ...held }: CreateAuditHold): Promise<AuditHold> {
    if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
      throw new ProblemError('validation', undefined, [{ pointer: '/to', detail: 'is not after from' }]);
    return this.changes.apply(author, 'audit-hold.created', async (tx) => {
      const times = { from: from === undefined ? null : new Date(from), to: to === undefined ? null : new Date(to) };
      const row = await tx.auditHold.create({ data: { id: v7(), reason, ...held, ...times, createdBy: author.name } });
      return { result: toHold(row), subject: { kind: 'audit-hold', id: row.id }, change: { reason, from, to, ...held } };
    });
  }

  /** It stays on the list of released ones. */
  async release(author: Author, id: string): Promise<AuditHold> {
    return this.changes.apply(author, 'audit-hold.released', async (tx) => {
      const { count } = await tx.auditHold.updateMany({ where: { id, releasedAt: null }, data: { releasedAt: new Date(), releasedBy: author.name } });
      if (count === 0) throw notFound('hold');
      const row = await tx.auditHold.findUniqueOrThrow({ where: { id } });
      return { result: toHold(row), subject: { kind: 'audit-hold', id }, change: { reason: row.reason } };
    });
  }
}

const toHold = ({ from, to, createdAt, releasedAt, ...row }: HoldRow): AuditHold => ({
  ...row,
  from: from?.toISOString() ?? null,
  to: to?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
  releasedAt: releasedAt?.toISOString() ?? null,
});
