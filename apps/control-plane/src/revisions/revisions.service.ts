import { Inject, Injectable } from '@nestjs/common';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import type { ApplyResult } from '@portcullis/contracts/api/drafts';
import type { Revision, RevisionDetail, RevisionPage } from '@portcullis/contracts/api/policy';
import { PrismaClient, type Revision as RevisionRow, type Transaction } from '@portcullis/database';
import { z } from 'zod';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { PreviewsService } from '../drafts/previews.service.js';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { diffOf } from './describe-changes.js';
import { netChanges } from './net-changes.js';
import { revertRevision } from './revert-revision.js';
import { findRevision, listRevisions } from './revisions.repository.js';

const RevisionCursor = z.tuple([z.int32().min(0)]);

/** Every change of policy, newest first, each with what it did and a way back. */
@Injectable()
export class RevisionsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
    @Inject(PreviewsService) private readonly previews: PreviewsService,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof RevisionPage>> {
    const [before] = decodeCursor(cursor, RevisionCursor) ?? [];
    return pageFrom(await listRevisions(this.database, { before, limit }), limit, toRevision, ({ revision }) => [revision]);
  }

  async read(revision: number): Promise<RevisionDetail> {
    const row = await this.find(this.database, revision);
    return {
      ...toRevision(row),
      revertOf: Reverting.safeParse(row.change).data?.change.revertOf ?? null,
      ...(await diffOf(this.database, await netChanges(this.database, revision))),
    };
  }

  /** Undoes a revision as a new one. Refuses (409) where later changes are in the way, and what cannot be undone. */
  async revert(author: Author, revision: number, reason: string): Promise<Changed<RevisionDetail>> {
    const reverted = await this.changes.apply(author, 'policy.reverted', reason, (tx) => this.undo(tx, revision));
    for (const server of reverted.result.discover) await this.discovery.start(server);
    return { result: await this.read(reverted.revision), revision: reverted.revision };
  }

  /** What reverting would do, and to whom. Refuses what reverting would refuse, and changes nothing. */
  async rehearse(author: Author, revision: number): Promise<Changed<ApplyResult>> {
    const { preview, diff, diffTotal } = await this.previews.preview((tx) => this.changes.tryIn(tx, author, (within) => this.undo(within, revision)));
    return { result: { revision: preview.revision, changed: diffTotal, diff, diffTotal, preview }, revision: preview.revision };
  }

  private async undo(tx: Transaction, revision: number): ReturnType<typeof revertRevision> {
    const { action } = await this.find(tx, revision);
    return revertRevision(tx, revision, action);
  }

  private async find(db: Transaction, revision: number): Promise<RevisionRow> {
    const row = await findRevision(db, revision);
    if (row === null) throw notFound('revision');
    return row;
  }
}

const Reverting = z.object({ change: z.object({ revertOf: z.number().int() }) });

function toRevision({ createdAt, publishedAt, ...row }: RevisionRow): Revision {
  return { ...row, createdAt: createdAt.toISOString(), publishedAt: publishedAt?.toISOString() ?? null };
}
