import type { Agent, AgentKey, Definition, Grant, Requestable, Server, Transaction } from '@portcullis/database';

export type DefinitionRow = Pick<Definition, 'kind' | 'name' | 'state' | 'descriptionsOnly' | 'approvedJson' | 'approvedHash'>;
export type ServerRow = Pick<
  Server,
  | 'id'
  | 'slug'
  | 'url'
  | 'protocol'
  | 'era'
  | 'bothEras'
  | 'transport'
  | 'transportPin'
  | 'tags'
  | 'environment'
  | 'enabled'
  | 'suspendedAt'
  | 'keepServing'
  | 'capabilitiesJson'
> & { definitions: DefinitionRow[] };
export type AgentKeyRow = Pick<AgentKey, 'id' | 'hash' | 'pepperId' | 'expiresAt' | 'revokedAt'>;
export type AgentRow = Pick<Agent, 'id' | 'slug' | 'enabled' | 'toolNameStyle'> & { keys: AgentKeyRow[]; memberships: { groupId: string }[] };
export type GrantRow = Pick<
  Grant,
  | 'id'
  | 'agentId'
  | 'groupId'
  | 'serverId'
  | 'selector'
  | 'kind'
  | 'names'
  | 'effect'
  | 'condition'
  | 'pinned'
  | 'rateLimit'
  | 'mode'
  | 'notBefore'
  | 'expiresAt'
>;

interface Found {
  id: string;
}

// `policy_bucket` is bucketOf of contracts/snapshot; there is an index by it.
export async function readServers(tx: Transaction, buckets: readonly number[]): Promise<ServerRow[]> {
  const found = await tx.$queryRaw<Found[]>`SELECT id::text AS id FROM server WHERE policy_bucket(id) = ANY(${buckets}::int[])`;
  return tx.server.findMany({
    where: { id: { in: found.map(({ id }) => id) } },
    orderBy: { id: 'asc' },
    select: {
      id: true,
      slug: true,
      url: true,
      protocol: true,
      era: true,
      bothEras: true,
      transport: true,
      transportPin: true,
      tags: true,
      environment: true,
      enabled: true,
      suspendedAt: true,
      keepServing: true,
      capabilitiesJson: true,
      definitions: {
        where: { OR: [{ state: 'approved' }, { state: 'changed', descriptionsOnly: true }, { state: 'changed', kind: 'instructions' }] },
        select: { kind: true, name: true, state: true, descriptionsOnly: true, approvedJson: true, approvedHash: true },
      },
    },
  });
}

export async function readAgents(tx: Transaction, buckets: readonly number[]): Promise<AgentRow[]> {
  const found = await tx.$queryRaw<Found[]>`SELECT id::text AS id FROM agent WHERE policy_bucket(id) = ANY(${buckets}::int[])`;
  return tx.agent.findMany({
    where: { id: { in: found.map(({ id }) => id) } },
    orderBy: { id: 'asc' },
    select: {
      id: true,
      slug: true,
      enabled: true,
      toolNameStyle: true,
      memberships: { select: { groupId: true } },
      keys: { where: { revokedAt: null }, select: { id: true, hash: true, pepperId: true, expiresAt: true, revokedAt: true } },
    },
  });
}

export type RequestableRow = Pick<Requestable, 'id' | 'agentId' | 'groupId'>;

/** Rules of what may be asked for lie where their subject's grants do. */
export async function readRequestable(tx: Transaction, buckets: readonly number[]): Promise<RequestableRow[]> {
  return tx.$queryRaw<RequestableRow[]>`SELECT id::text AS id, agent_id::text AS "agentId", group_id::text AS "groupId" FROM requestable_rule
    WHERE ('x' || right(coalesce(agent_id, group_id)::text, 3))::bit(12)::int % 1024 = ANY(${buckets}) ORDER BY id`;
}

/** Grants lie in the bucket of their subject. */
export async function readGrants(tx: Transaction, buckets: readonly number[]): Promise<GrantRow[]> {
  const found = await tx.$queryRaw<
    Found[]
  >`SELECT id::text AS id FROM access_grant WHERE policy_bucket(coalesce(agent_id, group_id)) = ANY(${buckets}::int[])`;
  return tx.grant.findMany({
    where: { id: { in: found.map(({ id }) => id) } },
    orderBy: { id: 'asc' },
    select: {
      id: true,
      agentId: true,
      groupId: true,
      serverId: true,
      selector: true,
      kind: true,
      names: true,
      effect: true,
      condition: true,
      pinned: true,
      rateLimit: true,
      mode: true,
      notBefore: true,
      expiresAt: true,
    },
  });
}
