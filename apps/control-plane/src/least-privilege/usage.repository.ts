import type { TargetKind } from '@portcullis/contracts/names';
import { Prisma, type Transaction } from '@portcullis/database';
import { callKinds } from '../drafts/recorded-calls.js';

/** How often one thing was allowed: to whom by grant, or to one agent. */
export interface Use {
  readonly grantId: string;
  readonly server: string;
  readonly kind: TargetKind;
  readonly name: string;
  readonly calls: number;
  readonly lastAt: Date;
}

interface UseRow extends Omit<Use, 'kind' | 'calls'> {
  readonly method: string;
  readonly calls: bigint;
}

/** What was allowed by each of these grants since then. */
export async function usesOf(tx: Transaction, grantIds: readonly string[], since: Date): Promise<ReadonlyMap<string, readonly Use[]>> {
  const rows = await tx.$queryRaw<UseRow[]>`
    WITH used AS (
      SELECT grant_id, server_id, server, method, tool, definition_hash, count(*) AS calls, max(at) AS last_at FROM audit_event
      WHERE ${allowedSince(since)} AND grant_id = ANY(${[...grantIds]}::uuid[])
      GROUP BY grant_id, server_id, server, method, tool, definition_hash
    )
    SELECT grant_id::text AS "grantId", server, method, coalesce(${templateOf}, tool) AS name, sum(calls)::bigint AS calls, max(last_at) AS "lastAt" FROM used
    GROUP BY 1, 2, 3, 4 ORDER BY 2, 4`;
  const uses = rows.flatMap(({ method, calls, ...row }) => {
    const kind = callKinds[method];
    return kind === undefined ? [] : [{ ...row, kind, calls: Number(calls) }];
  });
  return Map.groupBy(uses, ({ grantId }) => grantId);
}

/** How many different things each of these agents was allowed since then. */
export async function usedCounts(tx: Transaction, agentIds: readonly string[], since: Date): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.$queryRaw<{ id: string; used: bigint }[]>`
    SELECT agent_id::text AS id, count(DISTINCT (server_id, ${kindOf}, CASE WHEN ${isResource} THEN coalesce(definition_hash, tool) ELSE tool END)) AS used FROM audit_event
    WHERE ${allowedSince(since)} AND agent_id = ANY(${[...agentIds]}::uuid[]) GROUP BY agent_id`;
  return new Map(rows.map(({ id, used }) => [id, Number(used)]));
}

const isResource = Prisma.sql`method IN ('resources/read', 'resources/subscribe', 'subscriptions/listen')`;
const kindOf = Prisma.sql`CASE WHEN ${isResource} THEN 'resources' ELSE split_part(method, '/', 1) END`;

/** The template that a URI came from, by what was approved of it then: templates are what grants allow. */
const templateOf = Prisma.sql`CASE WHEN ${isResource} THEN coalesce(
  (SELECT d.name FROM definition d WHERE d.server_id = used.server_id AND d.kind = 'resource_template' AND definition_hash IN (d.approved_hash, d.hash) LIMIT 1),
  (SELECT c.name FROM definition_change c WHERE c.server_id = used.server_id AND c.kind = 'resource_template'
    AND definition_hash IN (c.before_hash, c.after_hash) LIMIT 1)) END`;

const allowedSince = (since: Date): Prisma.Sql => Prisma.sql`day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date AND at >= ${since}
  AND phase IN ('intent', 'single') AND decision = 'allow' AND method = ANY(${Object.keys(callKinds)}) AND server IS NOT NULL AND tool IS NOT NULL`;
