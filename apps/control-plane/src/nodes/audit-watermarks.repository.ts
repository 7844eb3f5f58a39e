import { Inject, Injectable } from '@nestjs/common';
import type { NodeStatus, NodeStatusResponse } from '@portcullis/contracts/node';
import { PrismaClient, type Transaction } from '@portcullis/database';

type Watermark = NodeStatusResponse['audit'][number];

/** Ranges taken in one go; more are folded at the next status. */
const RANGES_AT_ONCE = 5_000;

/** Up to where a node's audit events are in Postgres, so that the node may forget them. */
@Injectable()
export class AuditWatermarksRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /**
   * The watermark of each boot that the node reports, after folding what the audit worker has stored since. Zero for a boot never heard of. How far
   * each boot has come is kept: a node that is lost with its disk leaves a hole that shows.
   */
  async fold(node: string, reported: NodeStatus['audit']): Promise<Watermark[]> {
    if (reported.length === 0) return [];
    const boots = reported.map(({ boot }) => boot);
    const where = { node, boot: { in: boots } };
    const waiting = await this.database.auditRange.findMany({ where, distinct: ['boot'], select: { boot: true } });
    for (const { boot } of waiting) await this.foldBoot(node, boot);
    await this.noteReported(node, reported);
    const stored = await this.database.auditWatermark.findMany({ where });
    const known = new Map(stored.map(({ boot, contiguousSeq }) => [boot, Number(contiguousSeq)]));
    return boots.map((boot) => ({ boot, contiguousSeq: known.get(boot) ?? 0 }));
  }

  /** Writes only what differs: most heartbeats find everything as it was. */
  private async noteReported(node: string, reported: NodeStatus['audit']): Promise<void> {
    await this.database.$executeRaw`
      INSERT INTO audit_watermark AS known (node, boot, contiguous_seq, reported_seq, behind_since)
      SELECT ${node}, boot, 0, max("lastSeq"), CASE WHEN max("lastSeq") > 0 THEN now() END
      FROM json_to_recordset(${JSON.stringify(reported)}::json) AS said (boot uuid, "lastSeq" bigint) GROUP BY boot
      ON CONFLICT (node, boot) DO UPDATE SET reported_seq = greatest(known.reported_seq, excluded.reported_seq),
        behind_since = CASE WHEN known.contiguous_seq < greatest(known.reported_seq, excluded.reported_seq) THEN coalesce(known.behind_since, now()) END
      WHERE known.reported_seq < excluded.reported_seq OR (known.contiguous_seq < known.reported_seq) <> (known.behind_since IS NOT NULL)`;
  }

  private async foldBoot(node: string, boot: string): Promise<void> {
    await this.database.$transaction(async (tx) => {
      const before = await lockWatermark(tx, node, boot);
      const ranges = await tx.auditRange.findMany({ where: { node, boot }, orderBy: { firstSeq: 'asc' }, take: RANGES_AT_ONCE });
      let contiguousSeq = before;
      for (const { firstSeq, lastSeq } of ranges) {
        if (firstSeq > contiguousSeq + 1n) break; // a hole: what comes after it must stay with the node
        if (lastSeq > contiguousSeq) contiguousSeq = lastSeq;
      }
      // What still lags has lagged since now at the earliest: something came meanwhile.
      const moved = contiguousSeq > before ? { contiguousSeq, behindSince: null } : {};
      await tx.auditWatermark.update({ where: { node_boot: { node, boot } }, data: moved });
      await tx.auditRange.deleteMany({ where: { node, boot, lastSeq: { lte: contiguousSeq } } });
    });
  }
}

async function lockWatermark(tx: Transaction, node: string, boot: string): Promise<bigint> {
  await tx.$executeRaw`INSERT INTO audit_watermark (node, boot, contiguous_seq) VALUES (${node}, ${boot}::uuid, 0) ON CONFLICT DO NOTHING`;
  const [row] = await tx.$queryRaw<
    { seq: bigint }[]
  >`SELECT contiguous_seq AS seq FROM audit_watermark WHERE node = ${node} AND boot = ${boot}::uuid FOR UPDATE`;
  return row?.seq ?? 0n;
}
