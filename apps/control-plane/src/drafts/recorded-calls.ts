import { createHash } from 'node:crypto';
import type { TargetKind } from '@portcullis/contracts/names';
import type { Transaction } from '@portcullis/database';
import type { JsonObject } from '@portcullis/policy';
import { parseJson } from '@portcullis/mcp';
import type { Concern } from './concern.js';

/** Which calls are about which kind of target. */
export const callKinds: Readonly<Record<string, TargetKind>> = {
  'tools/call': 'tools',
  'prompts/get': 'prompts',
  'resources/read': 'resources',
  'resources/subscribe': 'resources',
  'subscriptions/listen': 'resources',
};

/** Calls alike in everything but their arguments. */
export interface CallGroup {
  readonly agentId: string;
  readonly agent: string;
  readonly serverId: string;
  readonly server: string;
  readonly kind: TargetKind;
  readonly name: string;
  readonly recorded: 'allow' | 'deny';
  readonly count: number;
  /** The last of them. */
  readonly callId: string;
  readonly at: Date;
}

interface GroupRow extends Omit<CallGroup, 'kind' | 'count'> {
  readonly method: string;
  readonly count: bigint;
}

/** What agents asked of servers since then, as their intents and refusals tell. */
export async function groupCalls(tx: Transaction, { agents, servers }: Concern, since: Date): Promise<CallGroup[]> {
  const rows = await tx.$queryRaw<GroupRow[]>`
    SELECT agent_id::text AS "agentId", max(agent) AS agent, server_id::text AS "serverId", max(server) AS server, method, tool AS name,
      decision AS recorded, count(*) AS count, max(at) AS at, (array_agg(call_id::text ORDER BY at DESC))[1] AS "callId"
    FROM audit_event
    WHERE day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date AND at >= ${since} AND phase IN ('intent', 'single') AND decision IN ('allow', 'deny')
      AND method = ANY(${Object.keys(callKinds)}) AND agent_id = ANY(${[...agents]}::uuid[]) AND server_id = ANY(${[...servers]}::uuid[]) AND tool IS NOT NULL
    GROUP BY agent_id, server_id, method, tool, decision ORDER BY 1, 3, 5, 6, 7`;
  return rows.flatMap(({ method, count, ...row }) =>
    callKinds[method] === undefined ? [] : [{ ...row, kind: callKinds[method], count: Number(count) }],
  );
}

/** One call with its arguments; undefined where they were not kept whole. */
export interface KeptCall {
  readonly callId: string;
  readonly at: Date;
  readonly args: JsonObject | undefined;
}

/** The newest calls of a group, at most so many. */
export async function keptCalls(tx: Transaction, group: CallGroup, since: Date, limit: number): Promise<KeptCall[]> {
  const methods = Object.keys(callKinds).filter((method) => callKinds[method] === group.kind);
  const rows = await tx.$queryRaw<{ callId: string; at: Date; bytes: Uint8Array | null; hash: string | null }[]>`
    SELECT call_id::text AS "callId", at, arguments AS bytes, arguments_hash AS hash FROM audit_event
    WHERE day >= (${since}::timestamptz AT TIME ZONE 'UTC')::date AND at >= ${since} AND phase IN ('intent', 'single') AND decision = ${group.recorded}
      AND method = ANY(${methods}) AND agent_id = ${group.agentId}::uuid AND server_id = ${group.serverId}::uuid AND tool = ${group.name}
    ORDER BY at DESC LIMIT ${limit}`;
  return rows.map(({ callId, at, bytes, hash }) => ({ callId, at, args: wholeArguments(bytes, hash) }));
}

/** What was cut or redacted no longer has the digest of what was forwarded. */
export function wholeArguments(bytes: Uint8Array | null, hash: string | null): JsonObject | undefined {
  if (bytes === null || hash === null || createHash('sha256').update(bytes).digest('hex') !== hash) return undefined;
  try {
    const value: unknown = parseJson(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
