import type { AuditHold as HoldRow, Transaction } from '@portcullis/database';
import { Prisma } from '@portcullis/database';
import { forgetSums } from '../audit/fold-calls.js';
import { trailDays } from '../audit/trail-days.js';
import { forgetCosts } from '../cost/fold-costs.js';

export interface OldDay {
  readonly day: string;
  readonly bytes: number;
}

/** Days that are older than they have to be kept, oldest first. */
export async function oldDays(tx: Transaction, days: number): Promise<OldDay[]> {
  const rows = await tx.$queryRaw<{ day: string; bytes: bigint }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, bytes FROM (
      SELECT day, pg_total_relation_size(oid) AS bytes FROM (${trailDays}) days
    ) partitions WHERE day < (now() AT TIME ZONE 'UTC')::date - ${days}::int ORDER BY 1`;
  return rows.map(({ day, bytes }) => ({ day, bytes: Number(bytes) }));
}

/** How many rows a day has, and whether all of them are in blocks. */
export async function countDay(tx: Transaction, day: string, sealedThrough: bigint): Promise<{ events: number; unsealed: boolean }> {
  const [found] = await tx.$queryRaw<[{ events: bigint; unsealed: boolean }]>`
    SELECT count(*) AS events, coalesce(bool_or(stored_tx >= ${sealedThrough}), false) AS unsealed FROM audit_event WHERE day = ${day}::date`;
  return { events: Number(found.events), unsealed: found.unsealed };
}

/** Whether something that is held happened on this day. */
export async function isHeldOn(tx: Transaction, day: string, { agent, server, callId, from, to }: HoldRow): Promise<boolean> {
  const conditions = [
    Prisma.sql`day = ${day}::date`,
    ...(agent === null ? [] : [Prisma.sql`agent = ${agent}`]),
    ...(server === null ? [] : [Prisma.sql`server = ${server}`]),
    ...(callId === null ? [] : [Prisma.sql`call_id = ${callId}::uuid`]),
    ...(from === null ? [] : [Prisma.sql`at >= ${from}`]),
    ...(to === null ? [] : [Prisma.sql`at < ${to}`]),
  ];
  const [found] = await tx.$queryRaw<[{ held: boolean }]>`SELECT EXISTS (SELECT FROM audit_event WHERE ${Prisma.join(conditions, ' AND ')}) AS held`;
  return found.held;
}

/** From here on the transaction fails (`isLockTimeout`) rather than wait longer for a lock, behind which others would wait. */
export async function waitNoLongerThan(tx: Transaction, ms: number): Promise<void> {
  await tx.$executeRawUnsafe(`SET LOCAL lock_timeout = ${ms}`);
}

export const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'meta' in error && JSON.stringify(error.meta).includes('55P03');

/** Takes the day away, what of it went to quarantine, and what reports count of it. */
export async function dropDay(tx: Transaction, day: string): Promise<void> {
  await tx.$executeRawUnsafe(`DROP TABLE audit_days.day_${day.replaceAll('-', '')}`);
  await tx.$executeRaw`DELETE FROM audit_quarantine WHERE at >= ${day}::date AND at < ${day}::date + 1`;
  // After the drop: it waits for whoever is counting rows of the day.
  await forgetSums(tx, day);
  await forgetCosts(tx, day);
}
