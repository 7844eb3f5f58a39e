import { queryDatabase } from '@portcullis/testing';

/** One row of the trail, as Postgres has it. */
export interface AuditRow {
  readonly call_id: string;
  readonly phase: 'intent' | 'outcome' | 'single';
  readonly status: string;
  readonly decision: string;
  readonly agent: string | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly method: string;
  readonly arguments: string | null;
}

/** All rows of one agent, oldest first. */
export const auditRowsOf = (databaseUrl: string, agent: string): Promise<AuditRow[]> =>
  queryDatabase<AuditRow>(
    databaseUrl,
    `SELECT call_id, phase, status, decision, agent, server, tool, method, convert_from(arguments, 'UTF8') AS arguments
       FROM audit_event WHERE agent = $1 ORDER BY at, node, boot, seq`,
    [agent],
  );

/** Every run of every process that leaves events: how many rows, and between which sequence numbers. */
export const boots = (databaseUrl: string): Promise<{ node: string; boot: string; rows: number; first: number; last: number }[]> =>
  queryDatabase(
    databaseUrl,
    `SELECT node, boot, count(*)::int AS rows, min(seq)::int AS first, max(seq)::int AS last FROM audit_event GROUP BY node, boot ORDER BY 1, 2`,
  );
