import { Inject, Injectable } from '@nestjs/common';
import type { AuditAggregates, AuditAggregatesQuery, AuditPairs, AuditPairsQuery } from '@portcullis/contracts/api/audit-reports';
import type { Author } from '../changes/author.js';
import { ProblemError } from '../http/problem.js';
import { AuditReading } from './audit-reading.js';
import { bucketMs } from './call-rows.js';
import { aggregateCalls, pairsOf, type AggregateRow, type PairRow } from './reports.repository.js';
import type { Period } from './summed-calls.js';

const DAY_MS = 86_400_000;
const PERIOD_DAYS_MAX = 31;

/** Sums over the trail: who called what how often, and how it went. */
@Injectable()
export class ReportsService {
  constructor(@Inject(AuditReading) private readonly audit: AuditReading) {}

  async aggregates(author: Author, { by, limit, ...wanted }: AuditAggregatesQuery): Promise<AuditAggregates> {
    const period = periodOf(wanted);
    const rows = await this.audit.reading(author, { aggregates: { by, ...wanted } }, (tx) => aggregateCalls(tx, period, { by, limit }));
    return { ...said(period), rows: rows.slice(0, limit).map(toAggregate), truncated: rows.length > limit };
  }

  async pairs(author: Author, { isNew, limit, ...wanted }: AuditPairsQuery): Promise<AuditPairs> {
    const period = periodOf(wanted);
    const onlyNew = isNew === 'true';
    const rows = await this.audit.reading(author, { pairs: { isNew, ...wanted } }, (tx) => pairsOf(tx, period, { onlyNew, limit }));
    return { ...said(period), rows: rows.slice(0, limit).map(toPair), truncated: rows.length > limit };
  }
}

function periodOf({ from, to, ...named }: Pick<AuditPairsQuery, 'from' | 'to' | 'agent' | 'server' | 'tool'>): Period {
  const end = to === undefined ? new Date() : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - DAY_MS) : new Date(from);
  const days = (end.getTime() - start.getTime()) / DAY_MS;
  if (days <= 0) throw new ProblemError('validation', undefined, [{ pointer: '/from', detail: 'lies behind the end of the period' }]);
  if (days > PERIOD_DAYS_MAX)
    throw new ProblemError('validation', undefined, [{ pointer: '/from', detail: `lies more than ${PERIOD_DAYS_MAX} days before the end` }]);
  return { from: start, to: end, ...named };
}

const said = ({ from, to }: Period): { from: string; to: string } => ({ from: from.toISOString(), to: to.toISOString() });

const orNull = (name: string): string | null => (name === '' ? null : name);

function toAggregate({ agent, server, tool, at, latencies, ...row }: AggregateRow): AuditAggregates['rows'][number] {
  const [p50Ms = null, p95Ms = null, p99Ms = null] = latencies?.map(bucketMs) ?? [];
  const names = Object.entries({ agent, server, tool }).flatMap(([key, name]) => (name === undefined ? [] : [[key, orNull(name)]]));
  return { ...Object.fromEntries(names), ...row, ...(at !== undefined && { at: at.toISOString() }), p50Ms, p95Ms, p99Ms };
}

const toPair = ({ first_at: firstAt, last_at: lastAt, is_new: isNew, agent, server, tool, ...row }: PairRow): AuditPairs['rows'][number] => ({
  agent: orNull(agent),
  server: orNull(server),
  tool: orNull(tool),
  ...row,
  firstAt: firstAt.toISOString(),
  lastAt: lastAt.toISOString(),
  isNew,
});
