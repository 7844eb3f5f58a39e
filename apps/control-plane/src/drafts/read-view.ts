import type { Transaction } from '@portcullis/database';
import { asksAnnotations } from '../policy/policy.repository.js';
import type { Concern } from './concern.js';
import type { PolicyView } from './policy-view.js';
import { readAgents, readGrants, readServers } from './read-rows.js';
import type { Touched } from './touched.js';

const NOTHING: PolicyView = { agents: [], grants: [], servers: [] };

/** Policy as the transaction sees it now, as far as it is about these agents and servers; with what decides once it has become like `after` there. */
export async function readView(tx: Transaction, concern: Concern, after = NOTHING): Promise<PolicyView> {
  const agents = await readAgents(tx, concern.agents);
  const groups = new Set([...agents, ...after.agents].flatMap(({ groupIds }) => groupIds));
  const speaking = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text AS id FROM access_grant WHERE (server_id = ANY(${[...concern.servers]}::uuid[]) OR server_id IS NULL)
      AND (agent_id = ANY(${[...concern.agents]}::uuid[]) OR group_id = ANY(${[...groups]}::uuid[]))`;
  const ids = speaking.map(({ id }) => id);
  const grants = await readGrants(tx, ids);
  const servers = await readServers(tx, concern.servers, asksAnnotations([...grants, ...after.grants]));
  return { agents, grants, servers };
}

/** Policy after a change. What it did not touch is the very same as before. */
export function withTouched(before: PolicyView, { view, ...touched }: Touched, concern: Concern): PolicyView {
  const concerned = new Set(concern.agents);
  const untouched = <T extends { readonly id: string }>(all: readonly T[], ids: ReadonlySet<string>): T[] => all.filter(({ id }) => !ids.has(id));
  return {
    agents: [...untouched(before.agents, touched.agents), ...view.agents.filter(({ id }) => concerned.has(id))],
    grants: [...untouched(before.grants, touched.grants), ...view.grants],
    servers: [...untouched(before.servers, touched.servers), ...view.servers],
  };
}
