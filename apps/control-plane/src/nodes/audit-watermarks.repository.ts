import { Inject, Injectable } from '@nestjs/common';
import type { NodeStatusResponse } from '@portcullis/contracts/node';
import { PrismaClient, type Transaction } from '@portcullis/database';

type Watermark = NodeStatusResponse['audit'][number];

/** Ranges taken in one go; more are folded at the next status. */
const RANGES_AT_ONCE = 5_000;

/** Up to where a node's audit events are in Postgres, so that the node may forget them. */
@Injectable()
export class AuditWatermarksRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** The watermark of each boot of this node, after folding what the audit worker has stored since. Zero for a boot never heard of. */
  async fold(node: string, boots: readonly string[]): Promise<Watermark[]> {
    if (boots.length === 0) return [];
    const where = { node, boot: { in: [...boots] } };
    const waiting = await this.database.auditRange.findMany({ where, distinct: ['boot'], select: { boot: true } });
    for (const { boot } of waiting) await this.foldBoot(node, boot);
    const stored = await this.database.auditWatermark.findMany({ where });
    const known = new Map(stored.map(({ boot, contiguousSeq }) => [boot, Number(contiguousSeq)]));
    return boots.map((boot) => ({ boot, contiguousSeq: known.get(boot) ?? 0 }));
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
      await tx.auditWatermark.update({ where: { node_boot: { node, boot } }, data: { contiguousSeq } });
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
