import { AuditIntegrity, type AuditIntegrityQuery } from '@portcullis/contracts/api/audit-integrity';
import { AuditCall, type AuditTimelineQuery } from '@portcullis/contracts/api/audit-calls';
import { AuditAggregates, type AuditAggregatesQuery, AuditPairs, type AuditPairsQuery } from '@portcullis/contracts/api/audit-reports';
import type { ListAuditQuery } from '@portcullis/contracts/api/audit-search';
import { AuditRecord, AuditRecordPage } from '@portcullis/contracts/api/operations';
import type { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import { path } from './path.js';
import type { Send } from './send.js';

/** What was done, newest first, and whether all of it is there. */
export interface AuditApi {
  events: ListRoute<Partial<ListAuditQuery>, z.output<typeof AuditRecordPage>>;
  read(callId: string): Promise<AuditRecord>;
  /** The whole story of a call. */
  call(callId: string): Promise<AuditCall>;
  /** Of one agent or one trace, oldest first. */
  timeline: ListRoute<Partial<AuditTimelineQuery>, z.output<typeof AuditRecordPage>>;
  aggregates(query: Partial<AuditAggregatesQuery> & Pick<AuditAggregatesQuery, 'by'>): Promise<AuditAggregates>;
  /** Which agents used which tools. */
  pairs(query?: Partial<AuditPairsQuery>): Promise<AuditPairs>;
  integrity: ListRoute<Partial<AuditIntegrityQuery>, AuditIntegrity>;
}

export function auditApi(send: Send): AuditApi {
  return {
    events: listRoute(send, '/v1/audit/events', AuditRecordPage),
    read: async (callId) => (await send({ method: 'GET', path: path`/v1/audit/events/${callId}`, answer: AuditRecord })).value,
    call: async (callId) => (await send({ method: 'GET', path: path`/v1/audit/calls/${callId}`, answer: AuditCall })).value,
    timeline: listRoute(send, '/v1/audit/timeline', AuditRecordPage),
    aggregates: async (query) => (await send({ method: 'GET', path: '/v1/audit/aggregates', query, answer: AuditAggregates })).value,
    pairs: async (query) => (await send({ method: 'GET', path: '/v1/audit/pairs', query, answer: AuditPairs })).value,
    integrity: listRoute(send, '/v1/audit/integrity', AuditIntegrity),
  };
}
