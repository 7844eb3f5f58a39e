import { Prisma, type Transaction } from '@portcullis/database';
import { CONTROL_PLANE_NODE } from '../changes/record-action.js';

export interface BootRow {
  readonly node: string;
  readonly boot: string;
  readonly state: 'complete' | 'arriving' | 'missing';
  readonly contiguous_seq: bigint;
  readonly last_seq: bigint;
  readonly missing_events: bigint;
  readonly missing: readonly { readonly firstSeq: number; readonly lastSeq: number }[] | null;
  readonly missing_ranges: number;
  readonly behind_since: Date | null;
  readonly lag_seconds: number;
  readonly quarantined: number;
}

export interface IntegrityTotals {
  readonly boots: number;
  readonly arriving: number;
  readonly missing: number;
  readonly backlog_events: bigint;
  readonly quarantined: number;
}

export const RANGES_SHOWN_MAX = 100;

/** How long events may be on their way before they count as missing. */
const PATIENCE = '60 seconds';

/** Of each boot: the runs that are stored (`spans`: the watermark, and what the worker stored beyond it), the holes between them, and what is known of it. */
const boots = Prisma.sql`
  WITH known AS (
    SELECT node, boot, 0::bigint AS first_seq, contiguous_seq AS last_seq FROM audit_watermark
    UNION ALL SELECT node, boot, first_seq, last_seq FROM audit_range
  ), spans AS (
    SELECT node, boot, first_seq, last_seq,
      coalesce(max(last_seq) OVER (PARTITION BY node, boot ORDER BY first_seq, last_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM known
  ), ends AS (
    SELECT node, boot, max(last_seq) AS stored_seq FROM known GROUP BY node, boot
  ), holes AS (
    SELECT node, boot, before + 1 AS first_seq, first_seq - 1 AS last_seq FROM spans WHERE first_seq > before + 1
    UNION ALL
    SELECT node, boot, e.stored_seq + 1, w.reported_seq FROM ends e JOIN audit_watermark w USING (node, boot) WHERE w.reported_seq > e.stored_seq
  ), gaps AS (
    SELECT node, boot, sum(last_seq - first_seq + 1)::bigint AS events, count(*)::int AS ranges, min(first_seq) AS first,
      (jsonb_agg(jsonb_build_object('firstSeq', first_seq, 'lastSeq', last_seq) ORDER BY first_seq) FILTER (WHERE place <= ${RANGES_SHOWN_MAX})) AS shown
    FROM (SELECT *, row_number() OVER (PARTITION BY node, boot ORDER BY first_seq) AS place FROM holes) h GROUP BY node, boot
  ), boots AS (
    SELECT e.node, e.boot, greatest(e.stored_seq, coalesce(w.reported_seq, 0)) AS last_seq, coalesce(g.events, 0) AS missing_events,
      coalesce(g.first - 1, e.stored_seq) AS contiguous_seq, coalesce(g.ranges, 0) AS missing_ranges, g.shown AS missing,
      CASE WHEN g.events IS NOT NULL THEN w.behind_since END AS behind_since,
      CASE WHEN g.events IS NULL THEN 'complete'
        WHEN w.behind_since > now() - ${PATIENCE}::interval OR (w.behind_since IS NULL AND n.last_seen_at > now() - ${PATIENCE}::interval) THEN 'arriving'
        ELSE 'missing' END AS state,
      (SELECT count(*)::int FROM audit_quarantine q WHERE q.node = e.node AND q.boot = e.boot::text) AS quarantined
    FROM ends e LEFT JOIN audit_watermark w USING (node, boot) LEFT JOIN gaps g USING (node, boot) LEFT JOIN node n ON n.name = e.node
  )`;

/** By node and boot, one more than asked for. */
export async function listBoots(
  tx: Transaction,
  { node, state }: { node?: string | undefined; state?: string | undefined },
  { after, limit }: { after: readonly [string, string] | undefined; limit: number },
): Promise<BootRow[]> {
  const conditions = [
    ...(node === undefined ? [] : [Prisma.sql`node = ${node}`]),
    ...(state === undefined ? [] : [Prisma.sql`state = ${state}`]),
    ...(after === undefined ? [] : [Prisma.sql`(node, boot) > (${after[0]}, ${after[1]}::uuid)`]),
  ];
  const where = conditions.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join(conditions, ' AND ')}`;
  return tx.$queryRaw<BootRow[]>`${boots}
    SELECT node, boot::text AS boot, state, contiguous_seq, last_seq, missing_events, missing, missing_ranges, behind_since, quarantined,
      coalesce(extract(epoch FROM now() - behind_since), 0)::float8 AS lag_seconds
    FROM boots ${where} ORDER BY boots.node, boots.boot LIMIT ${limit + 1}`;
}

export async function sumIntegrity(tx: Transaction): Promise<IntegrityTotals> {
  const [totals] = await tx.$queryRaw<[IntegrityTotals]>`${boots}
    SELECT count(*)::int AS boots, (count(*) FILTER (WHERE state = 'arriving'))::int AS arriving, (count(*) FILTER (WHERE state = 'missing'))::int AS missing,
      coalesce(sum(missing_events), 0)::bigint AS backlog_events, (SELECT count(*)::int FROM audit_quarantine) AS quarantined
    FROM boots`;
  return totals;
}

export interface OperatorHoles {
  readonly lastSeq: number;
  readonly missingEvents: number;
  readonly missing: { firstSeq: number; lastSeq: number }[];
}

/** Holes in the control planes' own events, from the oldest that is kept: they are numbered in the transactions that write them. */
export async function findOperatorHoles(tx: Transaction): Promise<OperatorHoles> {
  const counter = await tx.auditOperatorCounter.findUnique({ where: { id: 1 } });
  if (counter === null) return { lastSeq: 0, missingEvents: 0, missing: [] };
  const holes = await tx.$queryRaw<{ first_seq: bigint; last_seq: bigint }[]>`
    SELECT seq + 1 AS first_seq, next - 1 AS last_seq FROM (
      SELECT seq, coalesce(lead(seq) OVER (ORDER BY seq), ${counter.seq} + 1) AS next FROM audit_event
      WHERE node = ${CONTROL_PLANE_NODE} AND boot = ${counter.boot}::uuid
    ) runs WHERE next > seq + 1 ORDER BY 1`;
  const missing = holes.map(({ first_seq: firstSeq, last_seq: lastSeq }) => ({ firstSeq: Number(firstSeq), lastSeq: Number(lastSeq) }));
  const missingEvents = missing.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0);
  return { lastSeq: Number(counter.seq), missingEvents, missing };
}
