import type { AuditHold as HoldRow, Transaction } from '@portcullis/database';
import { Prisma } from '@portcullis/database';
import { forgetSums } from '../audit/fold-calls.js';
import { trailDays } from '../audit/trail-days.js';
import { forgetCosts } from '../cost/fold-costs.js';

export interface OldDay {
  readonly day: string;
  readonly bytes: number;
}

/**
 * Days that are older than they have to be kept, oldest first; among them this one day alone where it is named. They are over by the clock of Postgres and
 * by our own: what is dropped for one that was set wrong is gone.
 */
export async function oldDays(tx: Transaction, days: number, one?: string): Promise<OldDay[]> {
  const today = new Date().toISOString().slice(0, 10);
  const only = one === undefined ? Prisma.empty : Prisma.sql`AND day = ${one}::date`;
  const rows = await tx.$queryRaw<{ day: string; bytes: bigint }[]>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, bytes FROM (
      SELECT day, pg_total_relation_size(oid) AS bytes FROM (${trailDays}) days
    ) partitions WHERE day < least((now() AT TIME ZONE 'UTC')::date, ${today}::date) - ${days}::int ${only} ORDER BY 1`;
  return rows.map(({ day, bytes }) => ({ day, bytes: Number(bytes) }));
}

/** For how many days the trail is kept, as it stays until the transaction ends. */
export async function keptDays(tx: Transaction): Promise<number | null> {
  const [found] = await tx.$queryRaw<[{ days: number | null }]>`SELECT days FROM audit_retention WHERE id = 1 FOR SHARE`;
  return found.days;
}

/** How many rows a day has. No row is read for it, but every entry of an index, which takes minutes where there are very many. */
export async function countDay(tx: Transaction, day: string): Promise<number> {
  const [found] = await tx.$queryRaw<[{ events: bigint }]>`SELECT count(*) AS events FROM audit_event WHERE day = ${day}::date`;
  return Number(found.events);
}

/** Whether some of its rows are in no block yet. */
export async function isUnsealed(tx: Transaction, day: string, sealedThrough: bigint): Promise<boolean> {
  const [found] = await tx.$queryRaw<[{ unsealed: boolean }]>`
    SELECT EXISTS (SELECT FROM audit_event WHERE day = ${day}::date AND stored_tx >= ${sealedThrough}) AS unsealed`;
  return found.unsealed;
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
