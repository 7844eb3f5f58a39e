import type { AuditFilter } from '@portcullis/contracts/api/audit-search';
import { Prisma } from '@portcullis/database';
import { status } from './select-calls.js';

/** Agents of a group or an owner that are looked up one by one; of more, all calls are looked through. */
const AGENTS_APART_MAX = 50;

/** `agents`: whom the filters by agent, group and owner leave, undefined where there are none. */
export type ResolvedFilter = Omit<AuditFilter, 'agent' | 'group' | 'owner'> & { readonly agents: readonly string[] | undefined };

/** Below and above every id that is made at this time. */
export const idAt = (ms: number): string => {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0').slice(-12);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
};

/** A call's own time and that in its id are taken one after the other. */
const MARGIN_MS = 60_000;

/** What is known of ids, so that only a part of the trail is touched. Days are of ids. */
export function idBounds({ from, to }: Pick<AuditFilter, 'from' | 'to'>): Prisma.Sql[] {
  const bounds: Prisma.Sql[] = [];
  if (from !== undefined) bounds.push(idsFrom(Date.parse(from) - MARGIN_MS));
  if (to !== undefined) bounds.push(idsBefore(idAt(Date.parse(to) + MARGIN_MS)));
  return bounds;
}

/** Later ones are written with a sign and more digits, which Postgres does not read. */
const LAST_DAY_MS = Date.UTC(9999, 11, 31);

const dayOf = (id: string): string => {
  const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return new Date(Math.min(ms, LAST_DAY_MS)).toISOString().slice(0, 10);
};

const idsFrom = (ms: number): Prisma.Sql => Prisma.sql`call_id >= ${idAt(ms)}::uuid AND day >= ${dayOf(idAt(ms))}::date`;

export const idsBefore = (id: string): Prisma.Sql => Prisma.sql`call_id < ${id}::uuid AND day <= ${dayOf(id)}::date`;

export const idsAfter = (id: string): Prisma.Sql => Prisma.sql`call_id > ${id}::uuid AND day >= ${dayOf(id)}::date`;

/**
 * The one filter that an index answers in the order of ids; everything else is asked of what it finds. One at a time, so that no plan can
 * gather and sort all rows of a value before the first is given. Several are for each agent apart.
 */
export function driversOf(filter: ResolvedFilter): Prisma.Sql[] {
  const { traceId, requestId, task, onBehalfOf, claimedAgent, agents, tool, server, decision, status: wanted } = filter;
  if (traceId !== undefined) return [Prisma.sql`trace_id = ${traceId}`];
  if (requestId !== undefined) return [Prisma.sql`request_id = ${requestId}::uuid`];
  if (task !== undefined) return [Prisma.sql`task = ${task}`];
  if (onBehalfOf !== undefined) return [Prisma.sql`on_behalf_of = ${onBehalfOf}`];
  if (claimedAgent !== undefined) return [Prisma.sql`claimed_agent = ${claimedAgent}`];
  if (agents !== undefined && agents.length <= AGENTS_APART_MAX) return agents.map((agent) => Prisma.sql`agent = ${agent}`);
  if (server !== undefined) return [Prisma.sql`server = ${server}`];
  if (tool !== undefined) return [Prisma.sql`tool = ${tool}`];
  const exceptional = decision === 'deny' || (wanted !== undefined && !['pending', 'success', 'unknown'].includes(wanted));
  if (exceptional) return [Prisma.sql`(decision = 'deny' OR status NOT IN ('pending', 'success'))`]; // the very words of the index
  return [Prisma.sql`true`];
}

/** Every filter, asked of a whole call. */
export function conditionsOf(filter: ResolvedFilter): Prisma.Sql[] {
  const { agents, decision, status: wanted, from, to, durationMsMin, durationMsMax, traceId, requestId } = filter;
  const conditions = [...namesOf(filter), ...textsOf(filter), ...revisionsOf(filter)];
  if (agents !== undefined) conditions.push(Prisma.sql`b.agent = ANY(${[...agents]})`);
  if (decision !== undefined) conditions.push(Prisma.sql`coalesce(o.decision, b.decision) = ${decision}`);
  if (wanted !== undefined) conditions.push(Prisma.sql`${status} = ${wanted}`);
  if (from !== undefined) conditions.push(Prisma.sql`b.at >= ${from}::timestamptz`);
  if (to !== undefined) conditions.push(Prisma.sql`b.at < ${to}::timestamptz`);
  if (durationMsMin !== undefined) conditions.push(Prisma.sql`coalesce(o.duration_us, b.duration_us) >= ${durationMsMin * 1000}`);
  if (durationMsMax !== undefined) conditions.push(Prisma.sql`coalesce(o.duration_us, b.duration_us) <= ${durationMsMax * 1000}`);
  if (traceId !== undefined) conditions.push(Prisma.sql`coalesce(o.trace_id, b.trace_id) = ${traceId}`);
  if (requestId !== undefined) conditions.push(Prisma.sql`b.request_id = ${requestId}::uuid`);
  return conditions;
}

function revisionsOf({ revision, revisionMin, revisionMax }: ResolvedFilter): Prisma.Sql[] {
  const decidedBy = Prisma.sql`coalesce(o.revision, b.revision)`;
  return [
    ...(revision === undefined ? [] : [Prisma.sql`${decidedBy} = ${revision}`]),
    ...(revisionMin === undefined ? [] : [Prisma.sql`${decidedBy} >= ${revisionMin}`]),
    ...(revisionMax === undefined ? [] : [Prisma.sql`${decidedBy} <= ${revisionMax}`]),
  ];
}

function namesOf({ operator, server, tool, task, onBehalfOf, claimedAgent, method, node }: ResolvedFilter): Prisma.Sql[] {
  const named = { operator, server, tool, task, on_behalf_of: onBehalfOf, claimed_agent: claimedAgent, method, node };
  return Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [Prisma.sql`${Prisma.raw(`b.${name}`)} = ${value}`]));
}

const result = Prisma.sql`coalesce(o.result_summary, b.result_summary)`;

function textsOf({ q, argumentsText, resultText }: ResolvedFilter): Prisma.Sql[] {
  const texts: Prisma.Sql[] = [];
  if (argumentsText !== undefined) texts.push(inBytes(Prisma.sql`b.arguments`, argumentsText));
  if (resultText !== undefined) texts.push(inBytes(result, resultText));
  if (q === undefined) return texts;
  const inNames = Prisma.sql`strpos(lower(concat_ws(chr(10), b.tool, b.server, b.agent, b.operator, b.method, coalesce(o.reason, b.reason))), lower(${q})) > 0`;
  texts.push(Prisma.sql`(${inNames} OR ${inBytes(Prisma.sql`b.arguments`, q)} OR ${inBytes(result, q)})`);
  return texts;
}

/** Contents may be no valid UTF-8 and hold NUL, so they are compared in Postgres' escape form, which every byte string has. */
function inBytes(column: Prisma.Sql, text: string): Prisma.Sql {
  return Prisma.sql`strpos(lower(encode(${column}, 'escape')), lower(encode(convert_to(${text}, 'UTF8'), 'escape'))) > 0`;
}

/** Calls that began in this time, by their ids alone. */
export const idBoundsOf = (from: Date, to: Date): Prisma.Sql => Prisma.sql`${idsFrom(from.getTime())} AND ${idsBefore(idAt(to.getTime()))}`;
