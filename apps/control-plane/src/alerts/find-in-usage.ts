import { Prisma, type Transaction } from '@portcullis/database';
import type { Finding, ActiveRule } from './finding.js';
import { meets } from './finding.js';
import type { FirstUse, FreshUsage } from './fold-usage.js';

/** What is older than this when it is stored is history, and nobody is told of it. */
export const TOLD_MS = 3_600_000;

interface Summed {
  readonly agent: string;
  readonly server: string;
  readonly tool: string;
  readonly calls: number;
  readonly denials: number;
  readonly errors: number;
}

type Per = 'agent' | 'server' | 'tool';

const keysOf: Readonly<Record<Per, readonly ('agent' | 'server' | 'tool')[]>> = { agent: ['agent'], server: ['server'], tool: ['server', 'tool'] };

interface Patterns {
  readonly agent?: string | undefined;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Sums over the minutes up to each that something was stored for, of the subjects it was stored for; patterns decide which calls count. */
async function sumsOf(tx: Transaction, fresh: readonly FreshUsage[], options: { per: Per; minutes: number; patterns: Patterns }): Promise<Summed[]> {
  const { per, minutes, patterns } = options;
  const touched = fresh.filter((one) => meets(patterns, one) && keysOf[per].every((key) => one[key] !== ''));
  if (touched.length === 0) return [];
  const keys = Prisma.join(keysOf[per].map((key) => Prisma.raw(`u.${key}`)));
  const same = Prisma.join(
    keysOf[per].map((key) => Prisma.raw(`u.${key} = t.${key}`)),
    ' AND ',
  );
  const asked = JSON.stringify(touched.map(({ minute, agent, server, tool }) => ({ minute: minute.toISOString(), agent, server, tool })));
  const own = Prisma.join(keysOf[per].map((key) => Prisma.raw(key)));
  const rows = await tx.$queryRaw<Partial<Summed>[]>`
    WITH t AS (SELECT DISTINCT minute, ${own} FROM json_to_recordset(${asked}::json) AS one (minute timestamptz, agent text, server text, tool text))
    SELECT ${keys}, sum(u.calls)::int AS calls, sum(u.denials)::int AS denials, sum(u.errors)::int AS errors
    FROM t JOIN usage_minute u ON ${same} AND u.minute > t.minute - make_interval(mins => ${minutes}::int) AND u.minute <= t.minute
    WHERE ${Prisma.join(narrowings(patterns), ' AND ')}
    GROUP BY t.minute, ${keys} ORDER BY t.minute`;
  return rows.map((row) => ({ agent: '', server: '', tool: '', calls: 0, denials: 0, errors: 0, ...row }));
}

/** A glob as LIKE, in which only `*` means anything. */
function narrowings(patterns: Patterns): Prisma.Sql[] {
  const given = (['agent', 'server', 'tool'] as const).flatMap((part) => {
    const pattern = patterns[part];
    if (pattern === undefined) return [];
    const like = pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%');
    return [Prisma.sql`${Prisma.raw(`u.${part}`)} LIKE ${like}`];
  });
  return [Prisma.sql`true`, ...given];
}

const subjectOf = (row: Summed, per: Per): Record<string, string> => Object.fromEntries(keysOf[per].map((key) => [key, row[key]]));

const nameOf = (row: Summed, per: Per): string => (per === 'tool' ? `${row.server}:${row.tool}` : row[per]);

export async function findBursts(tx: Transaction, { when }: ActiveRule<'denial_burst'>, fresh: readonly FreshUsage[]): Promise<Finding[]> {
  const sums = await sumsOf(tx, fresh, { per: when.per, minutes: when.withinMinutes, patterns: when });
  return sums
    .filter(({ denials }) => denials >= when.count)
    .map((row) => ({
      summary: `${row.denials} calls of ${when.per} ${nameOf(row, when.per)} were refused within ${when.withinMinutes} min`,
      subject: subjectOf(row, when.per),
      values: { denials: row.denials, calls: row.calls, withinMinutes: when.withinMinutes },
    }));
}

export async function findErrorRates(tx: Transaction, { when }: ActiveRule<'error_rate'>, fresh: readonly FreshUsage[]): Promise<Finding[]> {
  const sums = await sumsOf(tx, fresh, { per: when.per, minutes: when.withinMinutes, patterns: when });
  return sums
    .filter(({ calls, denials, errors }) => calls - denials >= when.callsMin && errors * 100 >= when.percent * (calls - denials))
    .map((row) => {
      const percent = Math.round((row.errors / (row.calls - row.denials)) * 1000) / 10;
      return {
        summary: `${percent} % of the calls of ${when.per} ${nameOf(row, when.per)} failed within ${when.withinMinutes} min`,
        subject: subjectOf(row, when.per),
        values: { errors: row.errors, calls: row.calls - row.denials, percent, withinMinutes: when.withinMinutes },
      };
    });
}

export function findFirstUses({ when }: ActiveRule<'first_use'>, uses: readonly FirstUse[]): Finding[] {
  return uses
    .filter((use) => meets(when, use))
    .map(({ agent, server, tool }) => ({
      summary: `Agent ${agent} used ${server}:${tool} for the first time`,
      subject: { agent, server, tool },
      values: {},
    }));
}

/** The hour up to now against the mean hour of the days before, of subjects that were active in it. Of whom less than a day is known, nothing is said. */
export async function findVolumes(tx: Transaction, { when }: ActiveRule<'volume'>): Promise<Finding[]> {
  const keys = keysOf[when.per];
  const named = (table: string): Prisma.Sql => Prisma.join(keys.map((key) => Prisma.raw(`${table}.${key}`)));
  const rows = await tx.$queryRaw<(Partial<Summed> & { mean: number })[]>`
    WITH busy AS (
      SELECT ${named('u')}, sum(u.calls)::int AS calls FROM usage_minute u
      WHERE u.minute > now() - interval '1 hour' AND ${Prisma.join([...narrowings(when), ...keys.map((key) => Prisma.raw(`u.${key} <> ''`))], ' AND ')}
      GROUP BY ${named('u')} HAVING sum(u.calls) >= ${when.callsMin}
    )
    SELECT ${named('busy')}, busy.calls, history.calls::float8 / history.hours AS mean
    FROM busy CROSS JOIN LATERAL (
      SELECT sum(u.calls) AS calls, extract(epoch FROM date_trunc('hour', now() - interval '1 hour', 'UTC') - min(u.hour))::float8 / 3600 AS hours
      FROM usage_hour u
      WHERE ${Prisma.join(
        keys.map((key) => Prisma.raw(`u.${key} = busy.${key}`)),
        ' AND ',
      )} AND ${Prisma.join(narrowings(when), ' AND ')}
        AND u.hour < date_trunc('hour', now() - interval '1 hour', 'UTC') AND u.hour >= now() - make_interval(days => ${when.days}::int)
    ) history
    WHERE history.hours >= 24 AND busy.calls > ${when.factor}::float8 * history.calls / history.hours`;
  return rows.map(({ mean, ...found }) => {
    const row = { agent: '', server: '', tool: '', calls: 0, denials: 0, errors: 0, ...found };
    return {
      summary: `${row.calls} calls of ${when.per} ${nameOf(row, when.per)} in an hour, against ${mean.toFixed(1)} in a usual one`,
      subject: subjectOf(row, when.per),
      values: { calls: row.calls, usual: Math.round(mean * 10) / 10 },
    };
  });
}
