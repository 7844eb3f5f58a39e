import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ApplyRequest, ApplyResult, Preview, PreviewQuery, PreviewRequest } from '@portcullis/contracts/api/drafts';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { z } from 'zod';
import type { Author } from '../changes/author.js';
import { tookTooLong, withinFiveSeconds } from '../audit/audit.repository.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { decodeCursor, encodeCursor } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { AccessDiff, shiftKinds, type ShiftKind } from './access-diff.js';
import { callFlips, type FlipFacts } from './call-flips.js';
import { concernOf, type Concern } from './concern.js';
import { interpretDraft } from './interpret-draft.js';
import { readView } from './read-view.js';
import { NOBODY, rehearse } from './rehearse.js';

/** Which list goes on, of which draft, at which revision and moment, behind which item. */
const PreviewCursor = z.tuple([z.enum(shiftKinds), z.string(), z.int(), z.int(), z.string(), z.string(), z.string()]);
type PreviewCursor = z.infer<typeof PreviewCursor>;

type Change = (tx: Transaction) => Promise<unknown>;

const FIRST_PAGE: PreviewQuery = { limit: 50 };
const DAYS = 7;

/** What changes of policy would do, and doing them. Both run the same change. */
@Injectable()
export class PreviewsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  /** Changes nothing. Refuses what applying it would refuse, and (409) a cursor of a policy that has moved on. */
  async preview({ changes, days }: PreviewRequest, query: PreviewQuery): Promise<Preview> {
    return this.previewChange((tx) => interpretDraft(tx, NOBODY, changes), { days, draft: digest(changes), query });
  }

  /** All changes in one revision, or none of them. */
  async apply(author: Author, { changes, reason }: ApplyRequest): Promise<Changed<ApplyResult>> {
    const { result, revision } = await this.changes.apply(author, 'policy.applied', reason, (tx) => interpretDraft(tx, author, changes));
    for (const server of result.discover) await this.discovery.start(server);
    return { result: { revision, changed: result.changed, preview: null }, revision };
  }

  async rehearseApply({ changes }: ApplyRequest): Promise<Changed<ApplyResult>> {
    let changed = 0;
    const preview = await this.previewChange(async (tx) => void (changed = (await interpretDraft(tx, NOBODY, changes)).result.changed));
    return { result: { revision: preview.revision, changed, preview }, revision: preview.revision };
  }

  /** What any change of policy would do to access. */
  async previewChange(change: Change, options: { days?: number; draft?: string; query?: PreviewQuery } = {}): Promise<Preview> {
    const { days = DAYS, draft = '', query = FIRST_PAGE } = options;
    const cursor = decodeCursor(query.cursor, PreviewCursor);
    if (cursor !== undefined && cursor[1] !== draft)
      throw new ProblemError('validation', undefined, [{ pointer: '/cursor', detail: 'belongs to another draft' }]);
    const now = cursor?.[3] ?? Date.now();
    const { revision, aim, before, after } = await rehearse(this.database, change, { aim: concernOf, look: readView });
    if (cursor !== undefined && cursor[2] !== revision)
      throw new ProblemError('conflict', `Policy has moved on from revision ${cursor[2]} to ${revision}; preview the draft anew.`);
    const lists = listsOf(new AccessDiff(before, after, now), cursor, { limit: query.limit, draft, revision, now });
    const facts = { before, after, now, days };
    const calls = cursor === undefined ? await this.flips(aim, facts) : null;
    return { revision, ...lists, calls };
  }

  private async flips(concern: Concern, facts: FlipFacts): Promise<Preview['calls']> {
    try {
      return await withinFiveSeconds(this.database, (tx) => callFlips(tx, concern, facts));
    } catch (error) {
      if (tookTooLong(error))
        throw new ProblemError('unavailable', 'Deciding recorded calls again took too long. Ask for fewer days.', [], { cause: error });
      throw error;
    }
  }
}

interface ListOptions {
  readonly limit: number;
  readonly draft: string;
  readonly revision: number;
  readonly now: number;
}

/** A page of each list, or of the one that a cursor goes on with. */
function listsOf(diff: AccessDiff, cursor: PreviewCursor | undefined, { limit, draft, revision, now }: ListOptions): Pick<Preview, ShiftKind> {
  const counts = diff.counts();
  const listOf = (kind: ShiftKind): Preview[ShiftKind] => {
    if (cursor !== undefined && cursor[0] !== kind) return { count: counts[kind], items: [], nextCursor: null };
    const found = diff.list(kind, cursor && [cursor[4], cursor[5], cursor[6]], limit);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const more = found.length > limit && last !== undefined;
    return { count: counts[kind], items, nextCursor: more ? encodeCursor([kind, draft, revision, now, last.agent, last.kind, last.ref]) : null };
  };
  return { gained: listOf('gained'), lost: listOf('lost'), conditional: listOf('conditional') };
}

const digest = (changes: unknown): string => createHash('sha256').update(JSON.stringify(changes)).digest('base64url').slice(0, 16);
