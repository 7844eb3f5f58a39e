import type { LimitShift, Preview } from '@portcullis/contracts/api/drafts';
import type { CallLimitTerms } from '@portcullis/contracts/limits';
import { Prisma, type Transaction } from '@portcullis/database';
import { compileGlob } from '@portcullis/policy';
import { memberIds } from '../groups/groups.repository.js';
import { findLimits, type LimitRow } from '../limits/limits.repository.js';
import { toLimit } from '../limits/to-limit.js';
import type { NetChange } from '../revisions/net-changes.js';

/** Limits that a preview tells of: the calls of each are counted by a statement of its own. */
const TOLD_MAX = 20;

/** Methods whose calls count to limits. */
const COUNTED = ['tools/call', 'prompts/get', 'resources/read', 'completion/complete'];

/** How records begin to say that a limit refused a call; its id follows behind a colon. */
const RATE_LIMITED = 'rate_limited';

/** Limits that changes are about. */
export const limitsAmong = (changes: readonly NetChange[]): string[] =>
  changes.filter(({ entity }) => entity.name === 'call_limit').map(({ key }) => key);

/** Limits in one state of policy, by their ids: with the agents whose calls count to them where the limit is not a server's. */
export type LimitView = ReadonlyMap<string, { readonly row: LimitRow; readonly agents: readonly string[] }>;

export async function readLimits(tx: Transaction, ids: readonly string[]): Promise<LimitView> {
  const view = new Map<string, { row: LimitRow; agents: readonly string[] }>();
  for (const row of await findLimits(tx, ids.slice(0, TOLD_MAX))) {
    const agents = row.groupId === null ? [row.agentId ?? []].flat() : await memberIds(tx, row.groupId);
    view.set(row.id, { row, agents });
  }
  return view;
}

/** What became of limits, and from when on recorded calls are looked at. */
export interface LimitFacts {
  readonly ids: readonly string[];
  readonly before: LimitView;
  readonly after: LimitView;
  readonly since: Date;
}

/** What the trail says of limits that a draft changes. Which call a limit would have refused depends on all that others let through, so it is counted, not decided. */
export async function limitShifts(tx: Transaction, { ids, before, after, since }: LimitFacts): Promise<NonNullable<Preview['limits']>> {
  const items: LimitShift[] = [];
  for (const id of ids.slice(0, TOLD_MAX)) {
    const [was, is] = [before.get(id), after.get(id)];
    const row = is?.row ?? was?.row;
    if (row === undefined) continue;
    const termsOf = (seen: typeof was): CallLimitTerms | null => (seen === undefined ? null : toLimit(seen.row).terms);
    const counted = is === undefined ? { calls: null, beyond: null } : await countCalls(tx, is, since);
    const refused = was === undefined ? 0 : await countRefused(tx, id, since);
    items.push({ id: was === undefined ? null : id, subject: toLimit(row).subject, before: termsOf(was), after: termsOf(is), refused, ...counted });
  }
  return { count: ids.length, items };
}

const sinceThen = (since: Date): Prisma.Sql =>
  Prisma.sql`day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date AND at >= ${since} AND phase IN ('intent', 'single')`;

async function countRefused(tx: Transaction, id: string, since: Date): Promise<number> {
  const reason = `${RATE_LIMITED}:${id}`;
  const [found] = await tx.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM audit_event WHERE ${sinceThen(since)} AND decision = 'deny' AND reason = ${reason}`;
  return Number(found?.count ?? 0);
}

type Seen = LimitView extends ReadonlyMap<string, infer Value> ? Value : never;

async function countCalls(tx: Transaction, { row, agents }: Seen, since: Date): Promise<Pick<LimitShift, 'calls' | 'beyond'>> {
  const { terms } = toLimit(row);
  const whose = row.serverId === null ? Prisma.sql`agent_id = ANY(${[...agents]}::uuid[])` : Prisma.sql`server_id = ${row.serverId}::uuid`;
  const ofTools = row.tools.length > 0;
  const methods = ofTools ? ['tools/call'] : COUNTED;
  const rows = await tx.$queryRaw<{ tool: string; calls: bigint; beyond: bigint }[]>`
    SELECT tool, sum(calls)::bigint AS calls, sum(greatest(calls - ${terms.calls}, 0))::bigint AS beyond FROM (
      SELECT ${ofTools ? Prisma.sql`tool` : Prisma.sql`''`} AS tool, ${spanOf(terms)} AS span, count(*) AS calls FROM audit_event
      WHERE ${sinceThen(since)} AND ${whose} AND method = ANY(${methods}) AND (decision = 'allow' OR decision = 'deny' AND reason LIKE ${`${RATE_LIMITED}%`})
      GROUP BY 1, 2) AS spans
    WHERE tool IS NOT NULL GROUP BY tool`;
  const globs = row.tools.map(compileGlob);
  const own = ofTools ? rows.filter(({ tool }) => globs.some((matches) => matches(tool))) : rows;
  const sum = (of: (one: (typeof rows)[number]) => bigint): number => Number(own.reduce((total, one) => total + of(one), 0n));
  return { calls: sum(({ calls }) => calls), beyond: terms.kind === 'concurrency' ? null : sum(({ beyond }) => beyond) };
}

/** What lies in one such span cannot have been more than the limit. */
function spanOf(terms: CallLimitTerms): Prisma.Sql {
  switch (terms.kind) {
    case 'rate':
      return Prisma.sql`floor(extract(epoch FROM at) / ${terms.perSeconds})`;
    case 'quota':
      return Prisma.sql`date_trunc(${terms.per}, at AT TIME ZONE 'UTC')`;
    case 'concurrency':
      return Prisma.sql`0`;
  }
}
