import type { AccessRequest } from '@portcullis/contracts/api/access-requests';
import type { AccessRequest as Row } from '@portcullis/database';

/** A request as REST shows it. One that nobody decided in time is over, whether that is on record yet or not. */
export function toAccessRequest(row: Row): AccessRequest {
  return {
    id: row.id,
    agent: row.agent,
    server: row.server,
    kind: row.kind,
    names: row.names,
    durationSeconds: row.durationSeconds,
    reason: row.reason,
    status: statusOf(row),
    filedBy: row.filedBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    decidedBy: row.decidedBy,
    decidedAt: row.decidedAt?.toISOString() ?? null,
    decisionReason: row.decisionReason,
    grantId: row.grantId,
  };
}

export const statusOf = ({ status, expiresAt }: Pick<Row, 'status' | 'expiresAt'>): Row['status'] =>
  status === 'open' && expiresAt.getTime() <= Date.now() ? 'expired' : status;
