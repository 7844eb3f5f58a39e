import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { parseJson } from '@portcullis/mcp';
import { inParts } from '../database/in-parts.js';
import { findServers, type PolicyServer } from '../policy/policy.repository.js';
import { agentEntry, grantEntry } from '../snapshots/compile-entries.js';

/** Of agents as much as decides. */
export async function readAgents(tx: Transaction, ids: readonly string[]): Promise<AgentEntry[]> {
  const select = { id: true, slug: true, enabled: true, toolNameStyle: true, memberships: { select: { groupId: true } } } as const;
  const rows = await inParts(ids, (part) => tx.agent.findMany({ where: { id: { in: part } }, select }));
  return rows.map((row) => agentEntry({ ...row, keys: [] }, new Date(0)));
}

export async function readGrants(tx: Transaction, ids: readonly string[]): Promise<GrantEntry[]> {
  return (await inParts(ids, (part) => tx.grant.findMany({ where: { id: { in: part } } }))).map(grantEntry);
}

/** Servers with what they offer: what tools say about themselves only where that matters. */
export const readServers = (tx: Transaction, ids: readonly string[], withAnnotations: boolean): Promise<PolicyServer[]> =>
  inParts(ids, async (part) => (await findServers(tx, part, withAnnotations)).map(withAnnotationsAlone));

/** Of what a tool says about itself only its annotations decide; the rest is most of it. */
function withAnnotationsAlone(server: PolicyServer): PolicyServer {
  return { ...server, definitions: server.definitions.map((definition) => ({ ...definition, json: annotationsOf(definition.json) })) };
}

function annotationsOf(json: string): string {
  if (!json.includes('"annotations"')) return '{}';
  try {
    return JSON.stringify({ annotations: (parseJson(json) as { annotations?: unknown }).annotations });
  } catch {
    return '{}'; // what cannot be read says nothing
  }
}
