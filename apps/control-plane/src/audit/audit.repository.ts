import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';
import type { ListAuditQuery } from '@portcullis/contracts/api/operations';

/** A call without an outcome is `pending` this long and `unknown` afterwards. */
const PENDING = '15 minutes';

/** One call: the row that began it, completed by its outcome where there is one. */
export interface AuditRow {
  readonly id: string;
  readonly call_id: string;
  readonly at: Date;
  readonly method: string;
  readonly agent: string | null;
  readonly operator: string | null;
  readonly key_id: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly definition_hash: string | null;
  readonly decision: string;
  readonly reason: string | null;
  readonly grant_id: string | null;
  readonly shadow_decision: string | null;
  readonly shadow_grant_id: string | null;
  readonly revision: number | null;
  readonly status: string;
  readonly duration_us: bigint | null;
  readonly upstream_us: bigint | null;
  readonly trace_id: string | null;
  readonly arguments: Uint8Array | null;
  readonly arguments_bytes: number | null;
  readonly result_hash: string | null;
  readonly result_bytes: bigint | null;
  readonly result_summary: Uint8Array | null;
  readonly node: string;
  readonly boot: string;
  readonly seq: bigint;
}

export type AuditFilter = Omit<ListAuditQuery, 'limit' | 'cursor'>;

/** Ends a reading that takes too long: an auditor's search must not hold the database from the calls' own records. */
export async function withinFiveSeconds<T>(database: PrismaClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return database.$transaction(
    async (tx) => {
      await tx.$executeRaw`SELECT set_config('statement_timeout', '5000', true)`;
      return work(tx);
    },
    { maxWait: 10_000, timeout: 20_000 },
  );
}

/** Whether a reading was ended by its time limit. */
export function tookTooLong(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && JSON.stringify(error.meta ?? {}).includes('57014');
}

/** Newest first, one more than asked for. */
export async function listCalls(
  tx: Transaction,
  filter: AuditFilter,
  { after, limit }: { after: readonly [string, string] | undefined; limit: number },
): Promise<AuditRow[]> {
  const conditions = [
    ...conditionsOf(filter),
    ...(after === undefined ? [] : [Prisma.sql`(b.at, b.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`]),
  ];
  return tx.$queryRaw<AuditRow[]>`${selectCalls(conditions)} ORDER BY b.at DESC, b.id DESC LIMIT ${limit + 1}`;
}

export async function findCall(tx: Transaction, callId: string): Promise<AuditRow | undefined> {
  const [row] = await tx.$queryRaw<AuditRow[]>`${selectCalls([Prisma.sql`b.call_id = ${callId}::uuid`])} ORDER BY b.at DESC, b.id DESC LIMIT 1`;
  return row;
}

const status = Prisma.sql`CASE WHEN b.phase <> 'intent' THEN b.status WHEN o.status IS NOT NULL THEN o.status
  WHEN b.at < now() - ${PENDING}::interval THEN 'unknown' ELSE 'pending' END`;

/** A call begins with its intent, or is one row; an outcome stands alone while its intent is still on the way. */
function selectCalls(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.sql`
    SELECT b.id::text AS id, b.call_id::text AS call_id, b.at, b.method, b.agent, b.operator, b.key_id, b.server, b.tool, b.definition_hash,
      coalesce(o.decision, b.decision) AS decision, coalesce(o.reason, b.reason) AS reason, coalesce(o.grant_id, b.grant_id)::text AS grant_id,
      coalesce(o.shadow_decision, b.shadow_decision) AS shadow_decision, coalesce(o.shadow_grant_id, b.shadow_grant_id)::text AS shadow_grant_id,
      coalesce(o.revision, b.revision) AS revision, ${status} AS status, coalesce(o.duration_us, b.duration_us) AS duration_us,
      coalesce(o.upstream_us, b.upstream_us) AS upstream_us, coalesce(o.trace_id, b.trace_id) AS trace_id, b.arguments, b.arguments_bytes,
      coalesce(o.result_hash, b.result_hash) AS result_hash, coalesce(o.result_bytes, b.result_bytes) AS result_bytes,
      coalesce(o.result_summary, b.result_summary) AS result_summary, b.node, b.boot::text AS boot, b.seq
    FROM audit_event b
    LEFT JOIN LATERAL (
      SELECT * FROM audit_event x WHERE b.phase = 'intent' AND x.day = b.day AND x.call_id = b.call_id AND x.phase = 'outcome' LIMIT 1
    ) o ON true
    WHERE (b.phase <> 'outcome' OR NOT EXISTS (SELECT 1 FROM audit_event i WHERE i.day = b.day AND i.call_id = b.call_id AND i.phase = 'intent'))
      AND ${Prisma.join(conditions.length === 0 ? [Prisma.sql`true`] : [...conditions], ' AND ')}`;
}

function conditionsOf({ from, to, q, decision, status: wanted, ...exact }: AuditFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (exact.agent !== undefined) conditions.push(Prisma.sql`b.agent = ${exact.agent}`);
  if (exact.operator !== undefined) conditions.push(Prisma.sql`b.operator = ${exact.operator}`);
  if (exact.server !== undefined) conditions.push(Prisma.sql`b.server = ${exact.server}`);
  if (exact.tool !== undefined) conditions.push(Prisma.sql`b.tool = ${exact.tool}`);
  if (exact.method !== undefined) conditions.push(Prisma.sql`b.method = ${exact.method}`);
  if (decision !== undefined) conditions.push(Prisma.sql`coalesce(o.decision, b.decision) = ${decision}`);
  if (wanted !== undefined) conditions.push(Prisma.sql`${status} = ${wanted}`);
  // The day of a row comes from its call, so a day's margin keeps calls that began before midnight; it lets Postgres skip whole partitions.
  if (from !== undefined) conditions.push(Prisma.sql`b.at >= ${from}::timestamptz AND b.day >= (${from}::timestamptz AT TIME ZONE 'UTC')::date - 1`);
  if (to !== undefined) conditions.push(Prisma.sql`b.at < ${to}::timestamptz AND b.day <= (${to}::timestamptz AT TIME ZONE 'UTC')::date + 1`);
  if (q !== undefined) conditions.push(containsText(q));
  return conditions;
}

/**
 * Literal text, upper and lower case alike (ASCII within contents). Contents are bytes that may be no valid UTF-8 and hold NUL, so they are
 * compared in Postgres' escape form, which every byte string has.
 */
function containsText(q: string): Prisma.Sql {
  const inText = Prisma.sql`strpos(lower(concat_ws(chr(10), b.tool, b.server, b.agent, b.operator, b.method, coalesce(o.reason, b.reason))), lower(${q})) > 0`;
  const needle = Prisma.sql`lower(encode(convert_to(${q}, 'UTF8'), 'escape'))`;
  const inBytes = (column: Prisma.Sql): Prisma.Sql => Prisma.sql`strpos(lower(encode(${column}, 'escape')), ${needle}) > 0`;
  return Prisma.sql`(${inText} OR ${inBytes(Prisma.sql`b.arguments`)} OR ${inBytes(Prisma.sql`coalesce(o.result_summary, b.result_summary)`)})`;
}
