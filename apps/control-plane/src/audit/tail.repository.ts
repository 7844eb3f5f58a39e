import type { AuditFilter } from '@portcullis/contracts/api/audit-search';
import { Prisma, type Transaction } from '@portcullis/database';
import { conditionsOf } from './audit-filter.js';
import { resolveAgents } from './audit.repository.js';
import { selectCalls, type AuditRow } from './select-calls.js';

/** Behind what a tail is: a transaction, and a call of which that transaction stored something. */
export interface TailPlace {
  readonly tx: bigint;
  readonly callId: string;
}

export interface TailPart {
  readonly calls: readonly (AuditRow & { readonly stored_tx: bigint })[];
  readonly place: TailPlace;
  /** Whether there is more at once. */
  readonly more: boolean;
}

const CALLS_AT_ONCE = 200;
/** A transaction stores two rows of a call at most. */
const ROWS_AT_ONCE = 2 * (CALLS_AT_ONCE + 1);
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Before everything that is stored from now on. */
export async function tailEnd(tx: Transaction): Promise<TailPlace> {
  const [now] = await tx.$queryRaw<[{ tx: bigint }]>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS tx`;
  return { tx: now.tx, callId: FIRST_ID };
}

/**
 * Calls of which something was stored behind this place, in the order of transactions. Only those below the oldest that still runs are looked at: none
 * below can appear later, so nothing is overlooked however long another takes to commit.
 */
export async function readTail(tx: Transaction, filter: AuditFilter, { tx: stored, callId }: TailPlace): Promise<TailPart> {
  const resolved = await resolveAgents(tx, filter);
  const { tx: end } = await tailEnd(tx);
  const taken = await tx.$queryRaw<{ stored_tx: bigint; day: string; call_id: string }[]>`
    SELECT DISTINCT stored_tx, day::text AS day, call_id::text AS call_id FROM (
      SELECT stored_tx, day, call_id FROM audit_event
      WHERE stored_tx >= ${stored} AND stored_tx < ${end} AND (stored_tx, call_id) > (${stored}, ${callId}::uuid)
      ORDER BY stored_tx, call_id LIMIT ${ROWS_AT_ONCE}
    ) one ORDER BY stored_tx, call_id LIMIT ${CALLS_AT_ONCE + 1}`;
  const shown = taken.slice(0, CALLS_AT_ONCE);
  const last = shown.at(-1);
  const more = taken.length > CALLS_AT_ONCE;
  const place =
    more && last !== undefined
      ? { tx: last.stored_tx, callId: last.call_id }
      : { tx: end > stored ? end : stored, callId: end > stored ? FIRST_ID : callId };
  if (shown.length === 0) return { calls: [], place, more };
  const calls = Prisma.sql`(SELECT day, call_id FROM json_to_recordset(${JSON.stringify(shown.map(({ day, call_id }) => ({ day, call_id })))}::json) AS one (day date, call_id uuid) GROUP BY 1, 2)`;
  const rows = await tx.$queryRaw<AuditRow[]>`${selectCalls(calls, conditionsOf(resolved))}`;
  const byCall = new Map(rows.map((row) => [row.call_id, row]));
  return { calls: lastOfEach(shown).flatMap(({ call_id: id, stored_tx }) => withTx(byCall.get(id), stored_tx)), place, more };
}

/** A call that came in two parts of one reading is told once, as it is by now. */
function lastOfEach<T extends { readonly call_id: string }>(parts: readonly T[]): T[] {
  return [...new Map(parts.toReversed().map((part) => [part.call_id, part])).values()].toReversed();
}

const withTx = (row: AuditRow | undefined, stored_tx: bigint): (AuditRow & { stored_tx: bigint })[] =>
  row === undefined ? [] : [{ ...row, stored_tx }];
