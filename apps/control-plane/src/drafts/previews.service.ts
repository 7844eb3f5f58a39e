import { Inject, Injectable } from '@nestjs/common';
import type { Preview, PreviewQuery } from '@portcullis/contracts/api/drafts';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { z } from 'zod';
import { ranOutOfTime } from '../changes/in-transaction.js';
import { tookTooLong, withinFiveSeconds } from '../audit/audit.repository.js';
import { decodeCursor, encodeCursor } from '../http/paging.js';
import { PlacesAtOnce } from '../http/places-at-once.js';
import { ProblemError } from '../http/problem.js';
import { diffOf, type Diff } from '../revisions/describe-changes.js';
import { shiftKinds, type AccessDiff, type ShiftKind } from './access-diff.js';
import { callFlips, type FlipFacts } from './call-flips.js';
import { compareStates } from './compare-states.js';
import { concernOf, type Concern } from './concern.js';
import { limitsAmong, limitShifts, readLimits, type LimitFacts } from './limit-shifts.js';
import { readView, withTouched } from './read-view.js';
import { rehearse } from './rehearse.js';
import { readTouched } from './touched.js';

/** Which list goes on, of which draft, at which revision and moment, behind which item. */
const PreviewCursor = z.tuple([z.enum(shiftKinds), z.string(), z.int(), z.int(), z.string(), z.string(), z.string()]);
type PreviewCursor = z.infer<typeof PreviewCursor>;

type Change<Made> = (tx: Transaction) => Promise<Made>;

/** How far back recorded calls are decided again, which page of the lists, and what tells this draft from others. */
export interface PreviewOptions {
  readonly days?: number;
  readonly draft?: string;
  readonly query?: PreviewQuery;
}

/** A change as it was made and taken back. */
export interface Previewed<Made> extends Diff {
  readonly made: Made;
  readonly preview: Preview;
}

const FIRST_PAGE: PreviewQuery = { limit: 50 };
const DAYS = 7;
/** Each has a connection of the pool for up to a minute, and anybody who may look at policy asks for one: half of the pool is left to others. */
const AT_ONCE_MAX = 5;

/** What changes of policy would do. */
@Injectable()
export class PreviewsService {
  private readonly places = new PlacesAtOnce(
    AT_ONCE_MAX,
    () => new ProblemError('unavailable', `${AT_ONCE_MAX} changes are being looked at here. Try again when one of them is done.`),
  );

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** Changes nothing. Refuses what making the change would refuse, and (409) a cursor of a policy that has moved on. */
  async preview<Made>(change: Change<Made>, { days = DAYS, draft = '', query = FIRST_PAGE }: PreviewOptions = {}): Promise<Previewed<Made>> {
    const cursor = decodeCursor(query.cursor, PreviewCursor);
    if (cursor !== undefined && cursor[1] !== draft)
      throw new ProblemError('validation', undefined, [{ pointer: '/cursor', detail: 'belongs to another draft' }]);
    const now = cursor?.[3] ?? Date.now();
    const { revision, made, before: was, after: is } = await this.places.during(() => this.rehearse(change));
    if (cursor !== undefined && cursor[2] !== revision)
      throw new ProblemError('conflict', `Policy has moved on from revision ${cursor[2]} to ${revision}; preview the draft anew.`);
    const { concern, limitIds, diff, diffTotal } = was;
    const [before, after] = [was.view, withTouched(was.view, is.touched, concern)];
    const lists = await listsOf(compareStates(before, after, now), cursor, { limit: query.limit, draft, revision, now });
    const states = { concern, flips: { before, after, now, days }, limits: { ids: limitIds, before: was.limits, after: is.limits } };
    const onRecord = cursor === undefined ? await this.onRecord(states) : { calls: null, limits: null };
    return { made, preview: { revision, ...lists, ...onRecord }, diff, diffTotal };
  }

  private async rehearse<Made>(change: Change<Made>) {
    try {
      return await rehearse(this.database, change, {
        after: async (tx, changes) => ({ touched: await readTouched(tx, changes), limits: await readLimits(tx, limitsAmong(changes)) }),
        before: async (tx, changes, { touched }) => {
          const concern = await concernOf(tx, changes, touched);
          const limitIds = limitsAmong(changes);
          const [view, limits] = [await readView(tx, concern, touched.view), await readLimits(tx, limitIds)];
          return { concern, view, limitIds, limits, ...(await diffOf(tx, changes)) };
        },
      });
    } catch (error) {
      if (ranOutOfTime(error))
        throw new ProblemError('unavailable', 'Looking at what the draft concerns took too long. Preview it in parts.', [], { cause: error });
      throw error;
    }
  }

  /** What recorded calls say of the change. */
  private async onRecord({ concern, flips, limits }: States): Promise<Pick<Preview, 'calls' | 'limits'>> {
    const since = new Date(flips.now - flips.days * 86_400_000);
    try {
      return await withinFiveSeconds(this.database, async (tx) => ({
        calls: await callFlips(tx, concern, flips),
        limits: await limitShifts(tx, { ...limits, since }),
      }));
    } catch (error) {
      if (tookTooLong(error) || ranOutOfTime(error))
        throw new ProblemError('unavailable', 'Deciding recorded calls again took too long. Ask for fewer days.', [], { cause: error });
      throw error;
    }
  }
}

/** Policy as it is and as it would be, as far as recorded calls are held against it. */
interface States {
  readonly concern: Concern;
  readonly flips: FlipFacts;
  readonly limits: Omit<LimitFacts, 'since'>;
}

interface ListOptions {
  readonly limit: number;
  readonly draft: string;
  readonly revision: number;
  readonly now: number;
}

/** A page of each list, or of the one that a cursor goes on with. */
async function listsOf(
  diff: AccessDiff,
  cursor: PreviewCursor | undefined,
  { limit, draft, revision, now }: ListOptions,
): Promise<Pick<Preview, ShiftKind>> {
  const counts = await diff.counts();
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
