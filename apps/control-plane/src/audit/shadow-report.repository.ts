import type { ShadowReport } from '@portcullis/contracts/api/shadow-report';
import type { Transaction } from '@portcullis/database';

interface Row {
  readonly agent: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly decision: 'allow' | 'deny';
  readonly calls: number;
  readonly last_at: Date;
  readonly samples: string[];
  readonly all_calls: number;
}

const ROWS_MAX = 200;
const SAMPLES_MAX = 3;

/** What the trail since then says of a grant in the mode `shadow`. A call's intent and outcome both name the grant; one of them counts. */
export async function readShadowCalls(
  tx: Transaction,
  grantId: string,
  since: Date,
): Promise<Pick<ShadowReport, 'wouldAllow' | 'wouldDeny' | 'rows' | 'truncated'>> {
  const rows = await tx.$queryRaw<Row[]>`
    SELECT agent, server, tool, shadow_decision AS decision, count(*)::int AS calls, max(at) AS last_at,
      (array_agg(call_id::text ORDER BY at DESC))[1:${SAMPLES_MAX}::int] AS samples,
      (sum(count(*)) OVER (PARTITION BY shadow_decision))::int AS all_calls
    FROM audit_event
    WHERE shadow_grant_id = ${grantId}::uuid AND phase <> 'outcome' AND at >= ${since} AND day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date - 1
    GROUP BY agent, server, tool, shadow_decision
    ORDER BY calls DESC, agent, server, tool
    LIMIT ${ROWS_MAX + 1}`;
  const sumOf = (decision: Row['decision']): number => rows.find((row) => row.decision === decision)?.all_calls ?? 0;
  return {
    wouldAllow: sumOf('allow'),
    wouldDeny: sumOf('deny'),
    rows: rows.slice(0, ROWS_MAX).map(({ last_at: lastAt, all_calls: _all, ...row }) => ({ ...row, lastAt: lastAt.toISOString() })),
    truncated: rows.length > ROWS_MAX,
  };
}
