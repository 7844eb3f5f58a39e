import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ApplyRequest, ApplyResult, Preview, PreviewQuery, PreviewRequest } from '@portcullis/contracts/api/drafts';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed, type PolicyChange } from '../changes/policy-changes.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { diffOf } from '../revisions/describe-changes.js';
import { netChanges } from '../revisions/net-changes.js';
import { interpretDraft, type Interpreted } from './interpret-draft.js';
import { PreviewsService } from './previews.service.js';
import { NOBODY } from './rehearse.js';

/** Makes a draft in a transaction. */
export type Drafted = (tx: Transaction, author: Author) => Promise<PolicyChange<Interpreted>>;

/** Drafts of changes: what they would do, and doing them, all in one revision or not at all. */
@Injectable()
export class DraftsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
    @Inject(PreviewsService) private readonly previews: PreviewsService,
  ) {}

  async preview({ changes, days }: PreviewRequest, query: PreviewQuery): Promise<Preview> {
    const draft = createHash('sha256').update(JSON.stringify(changes)).digest('base64url').slice(0, 16);
    return (await this.previews.preview((tx) => interpretDraft(tx, NOBODY, changes), { days, draft, query })).preview;
  }

  async apply(author: Author, { changes, reason }: ApplyRequest, dryRun: boolean): Promise<Changed<ApplyResult>> {
    const drafted: Drafted = (tx, by) => interpretDraft(tx, by, changes);
    return dryRun ? this.rehearse(author, drafted) : this.make(author, 'policy.applied', reason, drafted);
  }

  /** Makes it, as one revision; none where everything is so already. */
  async make(author: Author, action: string, reason: string, drafted: Drafted): Promise<Changed<ApplyResult>> {
    const { result, revision } = await this.changes.apply(author, action, reason, (tx) => drafted(tx, author));
    for (const server of result.discover) await this.discovery.start(server);
    const changes = result.changed === 0 ? [] : await netChanges(this.database, revision);
    return { result: { revision, changed: result.changed, ...(await diffOf(this.database, changes)), preview: null }, revision };
  }

  /** Tells what making it would do. Refuses what making it would refuse this author. */
  async rehearse(author: Author, drafted: Drafted): Promise<Changed<ApplyResult>> {
    const { made, preview, diff, diffTotal } = await this.previews.preview((tx) =>
      this.changes.tryIn(tx, author, (within) => drafted(within, author)),
    );
    const { revision } = preview;
    return { result: { revision, changed: made.result.changed, diff, diffTotal, preview }, revision };
  }
}
