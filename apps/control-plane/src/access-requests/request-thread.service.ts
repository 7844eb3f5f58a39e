import { Inject, Injectable } from '@nestjs/common';
import type { AccessRequestThread, ThreadEntry } from '@portcullis/contracts/api/access-requests';
import { PrismaClient, type AccessRequest as Row, type AuditEvent, type Transaction } from '@portcullis/database';
import { withinFiveSeconds } from '../audit/audit.repository.js';
import { notFound } from '../http/problem.js';
import { findRequest } from './access-requests.repository.js';
import { toAccessRequest } from './to-access-request.js';

/** What each action on record is in the life of a request. */
const events: Readonly<Record<string, ThreadEntry['event']>> = {
  'operator/access-request.filed': 'filed',
  'operator/access-request.withdrawn': 'withdrawn',
  'operator/access-request.expired': 'expired',
  'operator/access-request.denied': 'denied',
  'operator/access-request.approved': 'approved',
  'operator/grant.created': 'granted',
  'operator/grant.updated': 'grant-changed',
  'operator/grant.deleted': 'grant-ended',
  'operator/access-request.grant-expired': 'grant-expired',
  'operator/access-request.grant-ended': 'grant-ended',
};

interface Uses {
  readonly count: bigint;
  readonly first: Date | null;
  readonly last: Date | null;
  readonly first_call: string | null;
  readonly last_call: string | null;
}

/** A request from its asking to the last use of what it brought, out of the audit trail. */
@Injectable()
export class RequestThreadService {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  async read(id: string): Promise<AccessRequestThread> {
    return withinFiveSeconds(this.database, async (tx) => {
      const row = await findRequest(tx, id);
      if (row === null) throw notFound('access request');
      const actions = await tx.auditEvent.findMany({ where: { requestId: id }, orderBy: { seq: 'asc' } });
      const uses = await usesOf(tx, row);
      const entries = [...actions.flatMap(actionEntry), ...useEntries(row, uses)];
      // Steps of one moment stay in the order in which they were recorded.
      entries.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
      return { request: toAccessRequest(row), entries, uses: Number(uses?.count ?? 0) };
    });
  }
}

/** Calls under the grant: of this agent and since the decision, which an index finds. */
async function usesOf(tx: Transaction, { agent, grantId, decidedAt }: Row): Promise<Uses | undefined> {
  if (grantId === null || decidedAt === null) return undefined;
  const [uses] = await tx.$queryRaw<Uses[]>`
    SELECT count(*) AS count, min(at) AS first, max(at) AS last, min(call_id::text) AS first_call, max(call_id::text) AS last_call
    FROM audit_event WHERE agent = ${agent} AND at >= ${decidedAt} AND day >= (${decidedAt} AT TIME ZONE 'UTC')::date - 1
      AND grant_id = ${grantId}::uuid AND decision = 'allow' AND phase <> 'outcome'`;
  return uses;
}

function useEntries({ agent }: Row, uses: Uses | undefined): ThreadEntry[] {
  if (uses === undefined || uses.first === null || uses.last === null) return [];
  const entry = (event: ThreadEntry['event'], at: Date, callId: string | null): ThreadEntry => ({
    at: at.toISOString(),
    event,
    by: agent,
    detail: null,
    callId,
  });
  const first = entry('first-used', uses.first, uses.first_call);
  return uses.count === 1n ? [first] : [first, entry('last-used', uses.last, uses.last_call)];
}

function actionEntry({ method, at, operator, callId, arguments: kept }: AuditEvent): ThreadEntry[] {
  const event = events[method];
  if (event === undefined) return [];
  return [{ at: at.toISOString(), event, by: operator ?? '', detail: detailOf(event, readJson(kept)), callId }];
}

interface Kept {
  readonly reason?: string | null;
  readonly change?: { readonly reason?: string; readonly expiresAt?: string; readonly after?: { readonly expiresAt?: string } };
}

function readJson(kept: AuditEvent['arguments']): Kept {
  try {
    return JSON.parse(Buffer.from(kept ?? []).toString()) as Kept;
  } catch {
    return {}; // cut short: the audit event has what is left of it
  }
}

function detailOf(event: ThreadEntry['event'], { reason, change }: Kept): string | null {
  const end = change?.after?.expiresAt ?? change?.expiresAt;
  switch (event) {
    case 'granted':
    case 'grant-changed':
    case 'grant-expired':
      return end === undefined ? null : `until ${end}`;
    default:
      return reason ?? change?.reason ?? null;
  }
}
