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
    SELECT grant_id::text AS "grantId", server, method, tool AS name, count(*) AS calls, max(at) AS "lastAt" FROM audit_event
    WHERE ${allowedSince(since)} AND grant_id = ANY(${[...grantIds]}::uuid[])
    GROUP BY grant_id, server, method, tool ORDER BY server, tool`;
  const uses = rows.flatMap(({ method, calls, ...row }) => {
    const kind = callKinds[method];
    return kind === undefined ? [] : [{ ...row, kind, calls: Number(calls) }];
  });
  return Map.groupBy(uses, ({ grantId }) => grantId);
}

/** How many different things each of these agents was allowed since then. */
export async function usedCounts(tx: Transaction, agentIds: readonly string[], since: Date): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.$queryRaw<{ id: string; used: bigint }[]>`
    SELECT agent_id::text AS id, count(DISTINCT (server_id, split_part(method, '/', 1), tool)) AS used FROM audit_event
    WHERE ${allowedSince(since)} AND agent_id = ANY(${[...agentIds]}::uuid[]) GROUP BY agent_id`;
  return new Map(rows.map(({ id, used }) => [id, Number(used)]));
}

const allowedSince = (since: Date): Prisma.Sql => Prisma.sql`day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date AND at >= ${since}
  AND phase IN ('intent', 'single') AND decision = 'allow' AND method = ANY(${Object.keys(callKinds)}) AND server IS NOT NULL AND tool IS NOT NULL`;
