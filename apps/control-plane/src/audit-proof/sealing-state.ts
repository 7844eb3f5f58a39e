import type { AuditSealing } from '@portcullis/contracts/api/audit-integrity';
import type { Transaction } from '@portcullis/database';
import { BEFORE_ALL, lastBlock } from './seal-repository.js';

/** Sealing takes ten seconds at most while it works. */
const BEHIND_S = 60;

/** How far the trail is sealed, and how far places outside the database have been told. */
export async function readSealing(tx: Transaction): Promise<AuditSealing> {
  const block = await lastBlock(tx);
  const from = block?.txThrough ?? BEFORE_ALL;
  const [{ events, lag, now }] = await tx.$queryRaw<[{ events: bigint; lag: number | null; now: bigint }]>`
    SELECT count(*) AS events, extract(epoch FROM clock_timestamp() - min(at))::float8 AS lag, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS now
    FROM audit_event WHERE stored_tx >= ${from}`;
  const anchors = await tx.auditAnchor.findMany({ orderBy: { target: 'asc' } });
  const lagSeconds = Math.max(0, lag ?? 0);
  return {
    state: now < from ? 'held' : lagSeconds > BEHIND_S ? 'behind' : 'sealing',
    block: block === null ? null : Number(block.n),
    sealedAt: block?.sealedAt.toISOString() ?? null,
    backlogEvents: Number(events),
    lagSeconds,
    anchors: anchors.map(({ target, block: n, at, error }) => ({ target, block: Number(n), at: at?.toISOString() ?? null, error })),
  };
}
