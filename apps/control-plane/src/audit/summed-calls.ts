import { Prisma, type Transaction } from '@portcullis/database';
import { idBoundsOf } from './audit-filter.js';
import { callRows } from './call-rows.js';

/** Calls that began from `from` on, before `to`. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

type Name = 'agent' | 'server' | 'tool';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const columns: Readonly<Record<Name, Prisma.Sql>> = { agent: Prisma.sql`agent`, server: Prisma.sql`server`, tool: Prisma.sql`tool` };

const namesOf = (period: Period): Name[] => (['agent', 'server', 'tool'] as const).filter((name) => period[name] !== undefined);

const alike = (period: Period): Prisma.Sql[] => namesOf(period).map((name) => Prisma.sql`${columns[name]} = ${period[name]}`);

/** Up to where the trail is in the sums, at least. */
export async function summedThrough(tx: Transaction): Promise<bigint> {
  const { storedTx } = await tx.callSumCursor.findUniqueOrThrow({ where: { id: 1 } });
  return storedTx;
}

/**
 * Rows that add up to every call of the period once, with at least the names that `by` and the period's filters say: sums of its whole days and hours, and
 * from the trail what is not in them yet and what lies before the first whole hour and behind the last. `hourly`: sums of hours alone. `through` is what
 * `summedThrough` gave.
 */
export function summedCalls(period: Period, options: { by: readonly Name[]; hourly: boolean; through: bigint }): Prisma.Sql {
  const [from, to] = [period.from.getTime(), period.to.getTime()];
  const hours = { from: ceilTo(HOUR_MS, from), to: floorTo(HOUR_MS, to) };
  if (hours.from >= hours.to) return raw(period, from, to);
  const { by, hourly, through } = options;
  const per = perOf(new Set([...by, ...namesOf(period)]));
  const days = { from: ceilTo(DAY_MS, hours.from), to: floorTo(DAY_MS, hours.to) };
  const sums =
    hourly || days.from >= days.to
      ? [summed(period, { unit: 'hour', per, ...hours })]
      : [
          summed(period, { unit: 'day', per, ...days }),
          summed(period, { unit: 'hour', per, from: hours.from, to: days.from }),
          summed(period, { unit: 'hour', per, from: days.to, to: hours.to }),
        ];
  // The number that is known beforehand is for the planner alone: only what the statement itself sees fits the sums that it sees.
  const behind = Prisma.sql`stored_tx >= ${through} AND stored_tx >= (SELECT stored_tx FROM call_sum_cursor)`;
  const rest = [raw(period, hours.from, hours.to, behind), raw(period, from, hours.from), raw(period, hours.to, to)];
  return Prisma.join([...sums, ...rest], ' UNION ALL ');
}

const ceilTo = (unit: number, ms: number): number => Math.ceil(ms / unit) * unit;
const floorTo = (unit: number, ms: number): number => Math.floor(ms / unit) * unit;

function perOf(names: ReadonlySet<Name>): string {
  if (names.size === 0) return 'all';
  if (!names.has('agent')) return 'tool';
  return names.size === 1 ? 'agent' : 'pair';
}

function summed(period: Period, { unit, per, from, to }: { unit: 'hour' | 'day'; per: string; from: number; to: number }): Prisma.Sql {
  const bounds = Prisma.sql`unit = ${unit} AND per = ${per} AND start >= ${new Date(from)} AND start < ${new Date(to)}`;
  return Prisma.sql`SELECT start, agent, server, tool, began, ended, errors, denials, first_at, last_at, latencies FROM call_sum
    WHERE ${Prisma.join([bounds, ...alike(period)], ' AND ')}`;
}

function raw(period: Period, from: number, to: number, more: Prisma.Sql = Prisma.sql`true`): Prisma.Sql {
  const where = Prisma.join([idBoundsOf(new Date(from), new Date(to)), more, ...alike(period)], ' AND ');
  return Prisma.sql`SELECT start, agent, server, tool, began, ended, errors, denials, at AS first_at, at AS last_at,
      CASE WHEN bucket IS NULL THEN '{}' ELSE ARRAY[(bucket << 40) + 1] END AS latencies
    FROM (${callRows(where)}) stored`;
}
