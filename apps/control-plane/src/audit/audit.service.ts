import { Inject, Injectable } from '@nestjs/common';
import { AuditDecision, AuditStatus } from '@portcullis/contracts/audit';
import type { AuditRecord, AuditRecordPage, ListAuditQuery } from '@portcullis/contracts/api/operations';
import type { ShadowReport } from '@portcullis/contracts/api/shadow-report';
import { z } from 'zod';
import type { Author } from '../changes/author.js';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { AuditReading } from './audit-reading.js';
import { findCall, listCalls, type AuditRow } from './audit.repository.js';
import { readShadowCalls } from './shadow-report.repository.js';

/** How far back a report looks unless it is told. */
const SHADOW_REPORT_MS = 7 * 86_400_000;

const AuditCursor = z.tuple([z.iso.datetime(), z.uuid()]);
const ShadowDecision = z.enum(['allow', 'deny']).nullable();
const Status = z.union([AuditStatus, z.literal('unknown')]);

/** What was done. */
@Injectable()
export class AuditService {
  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  async list(author: Author, { limit, cursor, ...filter }: ListAuditQuery): Promise<z.infer<typeof AuditRecordPage>> {
    const after = decodeCursor(cursor, AuditCursor);
    const rows = await this.audit.reading(author, { filter }, (tx) => listCalls(tx, filter, { after, limit }));
    return pageFrom(rows, limit, toRecord, ({ at, id }) => [at.toISOString(), id]);
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
}

function toRecord(row: AuditRow): AuditRecord {
  const kept = row.arguments;
  return {
    callId: row.call_id,
    timestamp: row.at.toISOString(),
    method: row.method,
    agent: row.agent,
    operator: row.operator,
    server: row.server,
    tool: row.tool,
    args: kept === null ? null : readArguments(kept),
    argsTruncated: kept !== null && row.arguments_bytes !== null && kept.length < row.arguments_bytes,
    status: Status.catch('error').parse(row.status),
    decision: AuditDecision.catch('none').parse(row.decision),
    reason: row.reason,
    grantId: row.grant_id,
    shadowDecision: ShadowDecision.catch(null).parse(row.shadow_decision),
    shadowGrantId: row.shadow_grant_id,
    keyId: row.key_id,
    revision: row.revision,
    definitionHash: row.definition_hash,
    durationMs: toMs(row.duration_us),
    upstreamMs: toMs(row.upstream_us),
    result: toResult(row),
    traceId: row.trace_id,
    node: row.node,
    boot: row.boot,
    seq: Number(row.seq),
  };
}

function toResult({ result_bytes: bytes, result_hash: hash, result_summary: summary }: AuditRow): AuditRecord['result'] {
  if (bytes === null && summary === null) return null;
  return { bytes: Number(bytes ?? summary?.length ?? 0), hash, summary: summary === null ? null : textOf(summary) };
}

/** What is cut is no JSON any more, and is shown as the text it is. */
function readArguments(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const toMs = (us: bigint | null): number | null => (us === null ? null : Number(us) / 1000);
