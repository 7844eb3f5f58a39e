import { Inject, Injectable } from '@nestjs/common';
import { AuditBlockContent, type AuditBlock, type AuditBlockRange, type AuditProofLine } from '@portcullis/contracts/api/audit-proof';
import { PrismaClient, type AuditBlock as BlockRow, type AuditLink as LinkRow } from '@portcullis/database';
import { KeyRing } from '../keys/key-ring.js';
import { rowsOfTransactions } from './proof-repository.js';
import { BEFORE_ALL } from './seal-repository.js';

const BLOCKS_AT_ONCE = 50;

/** Everything a verification needs of some blocks, as it is read: nothing is held longer than it is looked at. */
@Injectable()
export class ProofLines {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async *read(range: AuditBlockRange): AsyncGenerator<AuditProofLine[]> {
    const { first, last, isNewest } = await this.blocksOf(range);
    yield [await this.heading()];
    for (let next = first; next <= last;) {
      const rows = await this.database.auditBlock.findMany({ where: { n: { gte: next, lte: last } }, orderBy: { n: 'asc' }, take: BLOCKS_AT_ONCE });
      const end = rows.at(-1);
      if (end === undefined) break;
      for (const row of rows) yield* this.ofBlock(row);
      next = end.n + 1n;
    }
    yield [await this.ending(isNewest)];
  }

  private async *ofBlock(row: BlockRow): AsyncGenerator<AuditProofLine[]> {
    const content = contentOf(row);
    const keys = content === undefined ? [] : content.links.map(([node, boot, lastSeq]) => ({ node, boot, lastSeq: BigInt(lastSeq) }));
    yield [{ type: 'block', block: toBlock(row) }];
    if (content === undefined) return;
    for await (const rows of rowsOfTransactions(this.database, content.transactions)) yield rows.map((one) => ({ type: 'row', row: one }));
    if (keys.length === 0) return;
    const links = await this.database.auditLink.findMany({ where: { OR: keys }, orderBy: [{ node: 'asc' }, { boot: 'asc' }, { lastSeq: 'asc' }] });
    yield links.map(toLinkLine);
  }

  private async heading(): Promise<AuditProofLine> {
    const nodeKeys = await this.database.auditKey.findMany({
      select: { keyId: true, node: true, publicKey: true, certifiedBy: true, certificate: true },
      orderBy: { createdAt: 'asc' },
    });
    const dropped = await this.database.auditBlock.findMany({
      where: { droppedDay: { not: null } },
      orderBy: { n: 'asc' },
    });
    const keys = await this.keys.signingKeysEver();
    return { type: 'proof', version: 1, madeAt: new Date().toISOString(), keys, nodeKeys, dropped: dropped.map(toBlock) };
  }

  private async ending(isNewest: boolean): Promise<AuditProofLine> {
    const stored = await this.database.auditWatermark.findMany({ orderBy: [{ node: 'asc' }, { boot: 'asc' }] });
    const last = await this.database.auditBlock.findFirst({ orderBy: { n: 'desc' }, select: { txThrough: true } });
    const unsealedEvents = await this.database.auditEvent.count({ where: { storedTx: { gte: last?.txThrough ?? BEFORE_ALL } } });
    return {
      type: 'end',
      stored: stored.map(({ node, boot, contiguousSeq }) => ({ node, boot, contiguousSeq: Number(contiguousSeq) })),
      unsealedEvents,
      isNewest,
    };
  }

  private async blocksOf({ fromBlock, throughBlock, from, through }: AuditBlockRange): Promise<{ first: bigint; last: bigint; isNewest: boolean }> {
    const { _min, _max } = await this.database.auditBlock.aggregate({
      _min: { n: true },
      _max: { n: true },
      where: { sealedAt: { ...(from !== undefined && { gte: new Date(from) }), ...(through !== undefined && { lte: new Date(through) }) } },
    });
    const last = throughBlock === undefined ? _max.n : bigMin(BigInt(throughBlock), _max.n);
    const first = from === undefined ? BigInt(fromBlock ?? 1) : bigMax(BigInt(fromBlock ?? 1), _min.n);
    // Of blocks that are asked for and not there yet nothing is known, least of all that the newest is gone.
    const isBeyond = (fromBlock !== undefined || from !== undefined) && first > (last ?? 0n);
    return { first, last: last ?? 0n, isNewest: throughBlock === undefined && through === undefined && !isBeyond };
  }
}

const bigMin = (one: bigint, other: bigint | null): bigint | null => (other === null || one < other ? one : other);
const bigMax = (one: bigint, other: bigint | null): bigint => (other !== null && other > one ? other : one);

const toBlock = ({ content, segments, keyId, signature }: BlockRow): AuditBlock => ({ content, segments, keyId, signature });

function contentOf({ content }: BlockRow): AuditBlockContent | undefined {
  try {
    return AuditBlockContent.parse(JSON.parse(content));
  } catch {
    return undefined; // said by whoever verifies
  }
}

function toLinkLine({ node, boot, firstSeq, lastSeq, prev, digest, keyId, signature }: LinkRow): AuditProofLine {
  return { type: 'link', node, link: { boot, firstSeq: Number(firstSeq), lastSeq: Number(lastSeq), prev, digest, keyId, signature } };
}
