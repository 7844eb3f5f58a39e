import { Inject, Injectable } from '@nestjs/common';
import { blockText, hashBlock, NO_BLOCK, writeBlock } from '@portcullis/audit';
import type { AuditBlockContent, AuditSegment } from '@portcullis/contracts/api/audit-proof';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { signBytes } from '@portcullis/secrets';
import type { BackgroundWork } from '../background/background-loop.js';
import { inTransaction } from '../changes/in-transaction.js';
import { KeyRing } from '../keys/key-ring.js';
import { AnchorsService } from './anchors.service.js';
import { BEFORE_ALL, isOnlySealer, lastBlock, nextReach, readSealedLinks, readSegments } from './seal-repository.js';

const SEAL_EVERY_MS = 10_000;

type Unchained = Omit<AuditBlockContent, 'n' | 'prev' | 'root' | 'events' | 'sealedAt' | 'transactions'>;

/** Seals what is on record into signed blocks, one after the other, and tells the newest head to places outside the database. One control plane does at a time. */
@Injectable()
export class AuditSealer implements BackgroundWork {
  readonly everyMs = SEAL_EVERY_MS;
  readonly waitsFirst = true;
  readonly complaint = 'The trail could not be sealed';

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(AnchorsService) private readonly anchors: AnchorsService,
  ) {}

  async turn(stopping: AbortSignal): Promise<void> {
    await this.seal(stopping);
  }

  /** Seals all that can be sealed now, then anchors the head. Says how many blocks it made. */
  async seal(stopping?: AbortSignal): Promise<number> {
    let blocks = 0;
    while (stopping?.aborted !== true && (await inTransaction(this.database, (tx) => this.sealNext(tx)))) blocks += 1;
    await this.anchors.tell(this.database);
    return blocks;
  }

  /** Puts a block of its own into the chain, in the caller's transaction, which is the only one that seals. */
  async addBlock(tx: Transaction, block: Unchained): Promise<bigint> {
    const last = await lastBlock(tx);
    const at = last?.txThrough ?? BEFORE_ALL;
    return this.append(tx, last, { ...block, segments: [], from: at, through: at });
  }

  private async sealNext(tx: Transaction): Promise<boolean> {
    if (!(await isOnlySealer(tx))) return false;
    const last = await lastBlock(tx);
    const from = last?.txThrough ?? BEFORE_ALL;
    const through = await nextReach(tx, from);
    if (through === undefined) return false;
    const segments = await readSegments(tx, from, through);
    await this.append(tx, last, { kind: 'rows', links: await readSealedLinks(tx, from, through), segments, from, through });
    return true;
  }

  private async append(
    tx: Transaction,
    last: Awaited<ReturnType<typeof lastBlock>>,
    { segments, from, through, ...block }: Unchained & { segments: AuditSegment[]; from: bigint; through: bigint },
  ): Promise<bigint> {
    const n = (last?.n ?? 0n) + 1n;
    const prev = last === null ? NO_BLOCK : hashBlock(last.content);
    const sealedAt = new Date();
    const transactions: [string, string] = [String(from), String(through)];
    const written = writeBlock({ n: Number(n), ...block, prev, transactions, sealedAt: sealedAt.toISOString() }, segments);
    const { keyId, privateKey } = this.keys.signingKey();
    const signature = signBytes(privateKey, blockText(written.content));
    const events = segments.reduce((sum, [, , , first, end]) => sum + end - first + 1, 0);
    const droppedDay = block.dropped === undefined ? null : new Date(block.dropped.day);
    await tx.auditBlock.create({ data: { n, ...written, keyId, signature, txThrough: through, events, sealedAt, droppedDay } });
    return n;
  }
}
