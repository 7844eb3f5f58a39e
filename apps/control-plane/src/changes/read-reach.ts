import { bucketOf, type AgentEntry, type GrantEntry, type ServerEntry } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { agentEntry, grantEntry, serverEntry } from '../snapshots/compile-entries.js';
import { readAgents, readGrants, readServers } from '../snapshots/snapshot-rows.js';

/** What some agents may reach, compiled as nodes would get it. */
export interface ReachOfAgents {
  readonly agents: ReadonlyMap<string, AgentEntry>;
  readonly grants: readonly GrantEntry[];
  /** Those in the buckets that a change touched. */
  readonly servers: readonly ServerEntry[];
}

export async function readReach(tx: Transaction, agentIds: readonly string[], serverBuckets: readonly number[]): Promise<ReachOfAgents> {
  const wanted = new Set(agentIds);
  const agents = (await readAgents(tx, bucketsOf(agentIds))).filter(({ id }) => wanted.has(id)).map((row) => agentEntry(row, new Date()));
  const subjects = [...agentIds, ...agents.flatMap(({ groupIds }) => groupIds)];
  const speaking = new Set(subjects);
  const grants = (await readGrants(tx, bucketsOf(subjects))).filter(({ agentId, groupId }) => speaking.has(agentId ?? groupId ?? ''));
  const servers = serverBuckets.length === 0 ? [] : await readServers(tx, serverBuckets);
  return { agents: new Map(agents.map((agent) => [agent.id, agent])), grants: grants.map(grantEntry), servers: servers.map(serverEntry) };
}

const bucketsOf = (ids: readonly string[]): number[] => [...new Set(ids.map(bucketOf))];
