import { Inject, Injectable } from '@nestjs/common';
import { AuditBatch } from '@portcullis/contracts/audit';
import { PrismaClient } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';

/** Beyond so many that no worker has taken, nodes keep what they have: a quarter of a mebibyte each, as a rule. */
const BATCHES_MAX = 2000;
/** So that a node which fell into wrong hands leaves room for the others. */
const OF_ONE_NODE_MAX = 1000;

/** Where a batch belongs. What else is in it is the worker's to judge, as of batches that come through the queue. */
const Place = AuditBatch.pick({ node: true, boot: true, firstSeq: true, lastSeq: true });

/** Batches of audit events that nodes bring themselves while Redis takes none. */
@Injectable()
export class HandedOverBatchesRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** Keeps the batch until a worker has stored its events; one that is there already is kept once. Throws `forbidden` for another node's, `unavailable` when too many wait. */
  async take(caller: string, text: string): Promise<void> {
    const { node, boot, firstSeq, lastSeq } = placeIn(text);
    if (node !== caller) throw new ProblemError('forbidden', 'The batch is of another node.');
    const [all, own] = [await this.database.auditHandover.count(), await this.database.auditHandover.count({ where: { node } })];
    if (all >= BATCHES_MAX || own >= OF_ONE_NODE_MAX) throw new ProblemError('unavailable', 'Too many batches wait for an audit worker.');
    const row = { node, boot, firstSeq, lastSeq, batch: Buffer.from(text) };
    await this.database.auditHandover.createMany({ data: [row], skipDuplicates: true });
  }
}

function placeIn(text: string): Pick<AuditBatch, 'node' | 'boot' | 'firstSeq' | 'lastSeq'> {
  try {
    return Place.parse(JSON.parse(text));
  } catch (error) {
    throw new ProblemError('validation', 'Not an audit batch.', [], { cause: error });
  }
}
