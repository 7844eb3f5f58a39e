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
  return {
    read: async () => (await send({ route: 'GET /v1/audit/retention', answer: AuditRetention })).value,
    set: async (body, query) => (await send({ route: 'PUT /v1/audit/retention', query, body, answer: AuditRetention })).value,
    run: async (body = {}) => (await send({ route: 'POST /v1/audit/retention/runs', body, answer: AuditRetentionRun })).value,
    holds: listRoute(send, 'GET /v1/audit/holds', AuditHoldPage),
    hold: async (body) => (await send({ route: 'POST /v1/audit/holds', body, answer: AuditHold })).value,
    release: async (id) => (await send({ route: 'DELETE /v1/audit/holds/{id}', at: [id], answer: AuditHold })).value,
  };
}
