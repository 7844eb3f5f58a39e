import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { inParts } from '../database/in-parts.js';
import { asksAnnotations, findServers, type PolicyServer } from '../policy/policy.repository.js';
import { agentEntry, grantEntry } from '../snapshots/compile-entries.js';
import type { Concern } from './concern.js';
import type { PolicyView } from './policy-view.js';

/** Policy as the transaction sees it now, as far as it is about these agents and servers. */
export async function readView(tx: Transaction, concern: Concern, wantsAnnotations = false): Promise<PolicyView> {
  const rules = await readRules(tx, concern);
  const servers = await readServers(tx, concern.servers, wantsAnnotations || asksAnnotations(rules.grants));
  return { ...rules, servers };
}

/** What a change made of policy, as far as that is not as it was: of servers only those that are changed. */
export async function readChanged(tx: Transaction, concern: Concern): Promise<PolicyView> {
  return { ...(await readRules(tx, concern)), servers: await readServers(tx, concern.changed, true) };
}

/** Policy after a change. What did not change is the very same as before. */
export function withChanged(before: PolicyView, after: PolicyView, { changed }: Concern): PolicyView {
  const changing = new Set(changed);
  return { ...after, servers: [...before.servers.filter(({ id }) => !changing.has(id)), ...after.servers] };
}

async function readRules(tx: Transaction, { agents: ids, servers }: Concern): Promise<{ agents: AgentEntry[]; grants: GrantEntry[] }> {
  const select = { id: true, slug: true, enabled: true, toolNameStyle: true, memberships: { select: { groupId: true } } } as const;
  const rows = await inParts(ids, (part) => tx.agent.findMany({ where: { id: { in: part } }, select }));
  const agents = rows.map((row) => agentEntry({ ...row, keys: [] }, new Date(0)));
  const groups = [...new Set(agents.flatMap(({ groupIds }) => groupIds))];
  const speaking = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text AS id FROM access_grant WHERE (server_id = ANY(${[...servers]}::uuid[]) OR server_id IS NULL)
      AND (agent_id = ANY(${[...ids]}::uuid[]) OR group_id = ANY(${groups}::uuid[]))`;
  const grantIds = speaking.map(({ id }) => id);
  const grants = await inParts(grantIds, (part) => tx.grant.findMany({ where: { id: { in: part } } }));
  return { agents, grants: grants.map(grantEntry) };
}

const readServers = (tx: Transaction, ids: readonly string[], withAnnotations: boolean): Promise<PolicyServer[]> =>
  inParts(ids, async (part) => (await findServers(tx, part, withAnnotations)).map(withAnnotationsAlone));

/** Of what a tool says about itself only its annotations decide; the rest is most of it. */
function withAnnotationsAlone(server: PolicyServer): PolicyServer {
  return { ...server, definitions: server.definitions.map((definition) => ({ ...definition, json: annotationsOf(definition.json) })) };
}

function annotationsOf(json: string): string {
  if (!json.includes('"annotations"')) return '{}';
  try {
    return JSON.stringify({ annotations: (JSON.parse(json) as { annotations?: unknown }).annotations });
  } catch {
    return '{}'; // what cannot be read says nothing
  }
}
