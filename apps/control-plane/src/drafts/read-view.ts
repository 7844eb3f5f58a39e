import type { Transaction } from '@portcullis/database';
import { asksAnnotations, findServers } from '../policy/policy.repository.js';
import { agentEntry, grantEntry } from '../snapshots/compile-entries.js';
import type { Concern } from './concern.js';
import type { PolicyView } from './policy-view.js';

/** Policy as the transaction sees it now, as far as it is about these agents and servers. */
export async function readView(tx: Transaction, { agents: ids, servers: wanted }: Concern): Promise<PolicyView> {
  const rows = await tx.agent.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, slug: true, enabled: true, toolNameStyle: true, memberships: { select: { groupId: true } } },
  });
  const agents = rows.map((row) => agentEntry({ ...row, keys: [] }, new Date(0)));
  const groups = [...new Set(agents.flatMap(({ groupIds }) => groupIds))];
  const target = wanted === 'all' ? {} : { OR: [{ serverId: { in: [...wanted] } }, { serverId: null }] };
  const granted = await tx.grant.findMany({ where: { AND: [target, { OR: [{ agentId: { in: [...ids] } }, { groupId: { in: groups } }] }] } });
  const grants = granted.map(grantEntry);
  const servers = await findServers(tx, wanted === 'all' ? await allServers(tx) : wanted, asksAnnotations(grants));
  return { agents, servers, grants };
}

async function allServers(tx: Transaction): Promise<string[]> {
  return (await tx.server.findMany({ select: { id: true } })).map(({ id }) => id);
}
