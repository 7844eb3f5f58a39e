import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';

const LOOK_MS = 2_000;
const BATCH = 100;
const AUTHOR = { name: 'portcullis/clock' };

interface Ended {
  readonly id: string;
  readonly grant_id: string;
  /** Null: the grant is gone. */
  readonly expires_at: Date | null;
}

/** Puts on record what time does to requests and to the grants they brought: each end once, however many control planes run. */
@Injectable()
export class RequestClock implements BackgroundWork {
  readonly everyMs = LOOK_MS;
  readonly waitsFirst = true;
  readonly complaint = 'Requests that are over cannot be ended';

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** What it finds over is on record when it ends. */
  async turn(): Promise<void> {
    await inTransaction(this.database, expireRequests);
    await inTransaction(this.database, endGrants);
  }
}

async function expireRequests(tx: Transaction): Promise<void> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    UPDATE access_request SET status = 'expired', decided_at = expires_at WHERE id IN (
      SELECT id FROM access_request WHERE status = 'open' AND expires_at <= clock_timestamp() LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING id::text AS id`;
  for (const { id } of rows) {
    const subject = { kind: 'access-request', id };
    await recordAction(tx, AUTHOR, { action: 'access-request.expired', detail: { subject, change: { reason: 'nobody decided' } }, requestId: id });
  }
}

async function endGrants(tx: Transaction): Promise<void> {
  const rows = await tx.$queryRaw<Ended[]>`
    SELECT request.id::text AS id, request.grant_id::text AS grant_id, held.expires_at
    FROM access_request AS request LEFT JOIN access_grant AS held ON held.id = request.grant_id
    WHERE request.status = 'approved' AND request.grant_ended_at IS NULL AND (held.id IS NULL OR held.expires_at <= clock_timestamp())
    LIMIT ${BATCH} FOR UPDATE OF request SKIP LOCKED`;
  for (const { id, grant_id: grantId, expires_at: end } of rows) {
    await tx.accessRequest.update({ where: { id }, data: { grantEndedAt: new Date() } });
    const isTold = end === null && (await tx.auditEvent.count({ where: { requestId: id, method: 'operator/grant.deleted' } })) > 0;
    if (isTold) continue;
    const change = end === null ? { reason: 'the grant is gone with its agent or server, or by a revert' } : { expiresAt: end.toISOString() };
    const action = end === null ? 'access-request.grant-ended' : 'access-request.grant-expired';
    await recordAction(tx, AUTHOR, { action, detail: { subject: { kind: 'grant', id: grantId }, change }, requestId: id });
  }
}
