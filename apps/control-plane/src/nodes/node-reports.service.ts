import { Inject, Injectable, Logger } from '@nestjs/common';
import type { NodeStatus, NodeStatusResponse } from '@portcullis/contracts/node';
import type { SignedHead } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Node as NodeRow } from '@portcullis/database';
import { AppliedEverywhere } from '../changes/applied-everywhere.js';
import { notFound, ProblemError } from '../http/problem.js';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.js';
import { readContent } from '../snapshots/stored-contents.js';
import { AuditWatermarksRepository } from './audit-watermarks.repository.js';
import { storeStatus } from './nodes.repository.js';
import { storeLinks } from './store-links.js';

/** What nodes report, and the policy they get here when Redis does not have it. */
@Injectable()
export class NodeReportsService {
  private readonly logger = new Logger('nodes');

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(AuditWatermarksRepository) private readonly watermarks: AuditWatermarksRepository,
    @Inject(SnapshotPublisher) private readonly publisher: SnapshotPublisher,
    @Inject(AppliedEverywhere) private readonly applied: AppliedEverywhere,
  ) {}

  head(): SignedHead {
    const head = this.publisher.head();
    if (head === undefined) throw new ProblemError('unavailable', 'Nothing is published yet.');
    return head;
  }

  async chunk(digest: string): Promise<Uint8Array> {
    const bytes = await readContent(this.database, digest);
    if (bytes === undefined) throw notFound('chunk');
    return bytes;
  }

  async report(node: NodeRow, status: NodeStatus): Promise<NodeStatusResponse> {
    await storeStatus(this.database, node.id, status);
    if (status.appliedRevision !== node.appliedRevision || status.epoch !== node.epoch) this.applied.reported();
    if (status.head !== undefined) await this.publisher.noteSeen(status.head);
    const unsigned = await storeLinks(this.database, node.name, status.auditLinks ?? []);
    if (unsigned > 0) this.logger.warn({ msg: 'Links of a chain that the node did not sign', node: node.name, unsigned });
    const audit = await this.watermarks.fold(node.name, status.audit);
    return { audit, head: this.publisher.head() ?? null };
  }
}
