import type { Page } from '@portcullis/contracts/api/conventions';
import {
  AuditHold,
  AuditHoldPage,
  AuditRetention,
  AuditRetentionRun,
  type AuditHoldsQuery,
  type CreateAuditHold,
  type SetAuditRetention,
} from '@portcullis/contracts/api/audit-retention';
import { type ListRoute, listRoute } from './list-route.js';
import { path } from './path.js';
import type { MatchOptions, Send } from './send.js';

/** How long the trail is kept, and what of it must be kept longer. */
export interface AuditRetentionApi {
  read(): Promise<AuditRetention>;
  set(retention: SetAuditRetention, options?: MatchOptions): Promise<AuditRetention>;
  /** Says which days are over; with `dryRun: false` they are dropped. */
  run(options?: { dryRun?: boolean }): Promise<AuditRetentionRun>;
  holds: ListRoute<Partial<AuditHoldsQuery>, Page<AuditHold>>;
  hold(hold: CreateAuditHold): Promise<AuditHold>;
  release(id: string): Promise<AuditHold>;
}

export function auditRetentionApi(send: Send): AuditRetentionApi {
  const at = '/v1/audit/retention';
  return {
    read: async () => (await send({ method: 'GET', path: at, answer: AuditRetention })).value,
    set: async (body, query) => (await send({ method: 'PUT', path: at, query, body, answer: AuditRetention })).value,
    run: async (body = {}) => (await send({ method: 'POST', path: `${at}/runs`, body, answer: AuditRetentionRun })).value,
    holds: listRoute(send, '/v1/audit/holds', AuditHoldPage),
    hold: async (body) => (await send({ method: 'POST', path: '/v1/audit/holds', body, answer: AuditHold })).value,
    release: async (id) => (await send({ method: 'DELETE', path: path`/v1/audit/holds/${id}`, answer: AuditHold })).value,
  };
}
