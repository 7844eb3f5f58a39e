import type { AuditSegment } from '@portcullis/contracts/api/audit-proof';
import type { AuditBlock as BlockRow, Transaction } from '@portcullis/database';

/** Before every transaction, and before what was stored when rows did not say by which they were. */
export const BEFORE_ALL = -(2n ** 62n);

/** Rows of one block, more only where one transaction stored more. */
const ROWS_MAX = 20_000;
/** Events of one segment: where a row and its hash were both changed, it is known to be among so many. */
const SEGMENT_EVENTS = 1024;

/** Whether this transaction is the only one that seals. */
export async function isOnlySealer(tx: Transaction): Promise<boolean> {
  const [{ mine }] = await tx.$queryRaw<[{ mine: boolean }]>`SELECT pg_try_advisory_xact_lock(hashtext('portcullis audit sealer')) AS mine`;
  return mine;
}

/** Waits until this transaction is the only one that seals. */
export async function becomeOnlySealer(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis audit sealer'))`;
}

/** The last block; sealing goes on behind it. */
export const lastBlock = async (tx: Transaction): Promise<BlockRow | null> => tx.auditBlock.findFirst({ orderBy: { n: 'desc' } });

/**
 * Up to where the next block reaches; undefined while there is nothing to seal. Only transactions below the oldest that still runs are taken: none below can
 * appear later.
 */
export async function nextReach(tx: Transaction, from: bigint): Promise<bigint | undefined> {
  const [found] = await tx.$queryRaw<[{ now: bigint; first: bigint | null; beyond: bigint | null; links: boolean }]>`
    WITH now AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS tx)
    SELECT now.tx AS now,
      (SELECT min(stored_tx) FROM audit_event WHERE stored_tx >= ${from} AND stored_tx < now.tx) AS first,
      (SELECT stored_tx FROM audit_event WHERE stored_tx >= ${from} AND stored_tx < now.tx ORDER BY stored_tx OFFSET ${ROWS_MAX} LIMIT 1) AS beyond,
      EXISTS (SELECT FROM audit_link WHERE stored_tx >= ${from} AND stored_tx < now.tx) AS links
    FROM now`;
  const { now, first, beyond, links } = found;
  if (first === null) return links ? now : undefined;
  if (beyond === null) return now;
  return beyond > first ? beyond : beyond + 1n;
}

/** What lies between: runs of consecutive events with the digest of their hashes. No row is read out of Postgres for it. */
export async function readSegments(tx: Transaction, from: bigint, through: bigint): Promise<AuditSegment[]> {
  const rows = await tx.$queryRaw<{ day: string; node: string; boot: string; first_seq: bigint; last_seq: bigint; digest: string }[]>`
    WITH picked AS (
      SELECT day, node, boot, seq, hash, seq - row_number() OVER (PARTITION BY day, node, boot ORDER BY seq) AS run
      FROM audit_event WHERE stored_tx >= ${from} AND stored_tx < ${through}
    )
    SELECT day::text AS day, node, boot::text AS boot, min(seq) AS first_seq, max(seq) AS last_seq,
      encode(sha256(coalesce(string_agg(hash, ''::bytea ORDER BY seq), ''::bytea)), 'hex') AS digest
    FROM picked GROUP BY picked.day, picked.node, picked.boot, run, seq / ${SEGMENT_EVENTS}
    ORDER BY picked.day, picked.node, picked.boot, min(seq)`;
  return rows.map(({ day, node, boot, first_seq: first, last_seq: last, digest }) => [day, node, boot, Number(first), Number(last), digest]);
}

/** Links of nodes' chains that were stored between. */
export async function readSealedLinks(tx: Transaction, from: bigint, through: bigint): Promise<[string, string, number, string][]> {
  const links = await tx.auditLink.findMany({
    where: { storedTx: { gte: from, lt: through } },
    orderBy: [{ node: 'asc' }, { boot: 'asc' }, { lastSeq: 'asc' }],
  });
  return links.map(({ node, boot, lastSeq, digest }) => [node, boot, Number(lastSeq), digest]);
}
