import type { Transaction } from '@portcullis/database';

/** Up to which transaction, `end` at most, about so many rows were stored from `from` on. Whole transactions, at least one. */
export async function boundOf(tx: Transaction, { from, end, rows }: { from: bigint; end: bigint; rows: number }): Promise<bigint> {
  const [bound] = await tx.$queryRaw<{ stored_tx: bigint }[]>`
    SELECT stored_tx FROM audit_event WHERE stored_tx >= ${from} AND stored_tx < ${end} ORDER BY stored_tx LIMIT 1 OFFSET ${rows}`;
  if (bound === undefined) return end;
  return bound.stored_tx > from ? bound.stored_tx : from + 1n;
}
