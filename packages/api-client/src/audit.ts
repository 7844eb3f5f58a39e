import { AuditIntegrity, type AuditIntegrityQuery } from '@portcullis/contracts/api/audit-integrity';
import { AuditCall, type AuditTimelineQuery } from '@portcullis/contracts/api/audit-calls';
import {
  AuditAggregates,
  type AuditAggregatesQuery,
  type AuditExportQuery,
  AuditPairs,
  type AuditPairsQuery,
  type AuditTailQuery,
} from '@portcullis/contracts/api/audit-reports';
import { type AuditBlockRange, AuditSigningKeys, AuditVerifyLine } from '@portcullis/contracts/api/audit-proof';
import type { ListAuditQuery } from '@portcullis/contracts/api/audit-search';
import { AuditRecord, AuditRecordPage } from '@portcullis/contracts/api/operations';
import { type ReplayCall, ReplayResult } from '@portcullis/contracts/api/replays';
import type { z } from 'zod';
import { type AuditRetentionApi, auditRetentionApi } from './audit-retention.js';
import { linesOf } from './lines-of.js';
import { type ListRoute, listRoute } from './list-route.js';
import type { Open, Send } from './send.js';
import { tailAudit, type TailOptions } from './tail-audit.js';

/** What was done, newest first, and whether all of it is there. */
export interface AuditApi {
  events: ListRoute<Partial<ListAuditQuery>, z.output<typeof AuditRecordPage>>;
  read(callId: string): Promise<AuditRecord>;
  /** The whole story of a call. */
  call(callId: string): Promise<AuditCall>;
  /** Makes a recorded call again, and compares the results. */
  replay(callId: string, how: z.input<typeof ReplayCall>): Promise<ReplayResult>;
  /** Of one agent or one trace, oldest first. */
  timeline: ListRoute<Partial<AuditTimelineQuery>, z.output<typeof AuditRecordPage>>;
  aggregates(query: Partial<AuditAggregatesQuery> & Pick<AuditAggregatesQuery, 'by'>): Promise<AuditAggregates>;
  /** Which agents used which tools. */
  pairs(query?: Partial<AuditPairsQuery>): Promise<AuditPairs>;
  integrity: ListRoute<Partial<AuditIntegrityQuery>, AuditIntegrity>;
  /** Every call that matches, as bytes of NDJSON or CSV; rejects midway where the connection breaks. */
  export(query?: Partial<AuditExportQuery>): Promise<AsyncIterable<Uint8Array>>;
  /** Calls as they are stored, once more when their outcome is, until `signal`. Goes on behind the last one where a connection ends. */
  tail(query?: AuditTailQuery, options?: TailOptions): AsyncGenerator<AuditRecord, void, undefined>;
  /** Whether the trail is as it was recorded: how far it has come, and last the result. */
  verify(range?: AuditBlockRange): AsyncGenerator<AuditVerifyLine, void, undefined>;
  /** What it takes to verify it elsewhere: lines of `AuditProofLine`. */
  proof(range?: AuditBlockRange): Promise<AsyncIterable<Uint8Array>>;
  /** Public keys with which blocks may be signed. */
  keys(): Promise<AuditSigningKeys>;
  retention: AuditRetentionApi;
}

export function auditApi(send: Send, open: Open): AuditApi {
  return {
    events: listRoute(send, 'GET /v1/audit/events', AuditRecordPage),
    read: async (callId) => (await send({ route: 'GET /v1/audit/events/{callId}', at: [callId], answer: AuditRecord })).value,
    call: async (callId) => (await send({ route: 'GET /v1/audit/calls/{callId}', at: [callId], answer: AuditCall })).value,
    replay: async (callId, body) => (await send({ route: 'POST /v1/audit/calls/{callId}/replay', at: [callId], body, answer: ReplayResult })).value,
    timeline: listRoute(send, 'GET /v1/audit/timeline', AuditRecordPage),
    aggregates: async (query) => (await send({ route: 'GET /v1/audit/aggregates', query, answer: AuditAggregates })).value,
    pairs: async (query) => (await send({ route: 'GET /v1/audit/pairs', query, answer: AuditPairs })).value,
    integrity: listRoute(send, 'GET /v1/audit/integrity', AuditIntegrity),
    export: (query) => open({ route: 'GET /v1/audit/export', query, takes: 'application/x-ndjson, text/csv' }),
    tail: (query, options) => tailAudit(open, query, options),
    verify: (range) => verifyAudit(open, range),
    proof: (range) => open({ route: 'GET /v1/audit/proof', query: range, takes: 'application/x-ndjson' }),
    keys: async () => (await send({ route: 'GET /v1/audit/keys', answer: AuditSigningKeys })).value,
    retention: auditRetentionApi(send),
  };
}

async function* verifyAudit(open: Open, range: AuditBlockRange | undefined): AsyncGenerator<AuditVerifyLine, void, undefined> {
  const bytes = await open({ route: 'GET /v1/audit/verify', query: range, takes: 'application/x-ndjson' });
  for await (const line of linesOf(bytes)) yield AuditVerifyLine.parse(JSON.parse(line));
}
