import type {
  Agent,
  AgentKey,
  CallLimit,
  Credential,
  Definition,
  Grant,
  Requestable,
  Runner,
  Server,
  ServerTls,
  Transaction,
} from '@portcullis/database';

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
  | 'auditCapture'
  | 'answerRules'
> & {
  definitions: DefinitionRow[];
  /** Read for nodes alone: what is decided does not depend on it. */
  credentials?: CredentialRow[];
  tls?: TlsRow | null;
  limits?: CallLimitRow[];
  hosting?: PlaceRow | null;
};
export type CallLimitRow = Pick<CallLimit, 'id' | 'tools' | 'terms'>;
export type TlsRow = Pick<ServerTls, 'id' | 'version' | 'origin' | 'ca' | 'certificate' | 'sealed'>;
/** Where a server of stdio is hosted, as far as nodes were told. */
export interface PlaceRow {
  readonly placeAddress: string | null;
  readonly place: Pick<Runner, 'id' | 'accessVersion' | 'accessTokenForNodes'> | null;
}
export type CredentialRow = Pick<Credential, 'id' | 'version' | 'kind' | 'agentId' | 'settings' | 'sealedForNodes'>;
export type AgentKeyRow = Pick<AgentKey, 'id' | 'hash' | 'pepperId' | 'expiresAt' | 'revokedAt'>;
export type AgentRow = Pick<Agent, 'id' | 'slug' | 'enabled' | 'toolNameStyle'> & {
  /** Read for nodes alone: what is decided does not depend on it. */
  budgetSpentUntil?: Date | null;
  identities?: { issuer: string; subject: string }[];
  limits?: CallLimitRow[];
} & {
  keys: AgentKeyRow[];
  memberships: { groupId: string }[];
};
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
      auditCapture: true,
      answerRules: true,
      definitions: {
        where: { state: { in: ['approved', 'changed'] } },
        select: { kind: true, name: true, state: true, descriptionsOnly: true, approvedJson: true, approvedHash: true },
      },
      credentials: { select: { id: true, version: true, kind: true, agentId: true, settings: true, sealedForNodes: true } },
      tls: { select: { id: true, version: true, origin: true, ca: true, certificate: true, sealed: true } },
      limits: { select: { id: true, tools: true, terms: true } },
      hosting: { select: { placeAddress: true, place: { select: { id: true, accessVersion: true, accessTokenForNodes: true } } } },
    },
  });
}

/** Agents with their live keys, in one statement: each of a round's is waited for by everybody who waits for a change. */
export async function readAgents(tx: Transaction, buckets: readonly number[]): Promise<AgentRow[]> {
  const rows = await tx.$queryRaw<FoundAgent[]>`
    SELECT id::text AS id, slug, enabled, replace(tool_name_style::text, '-', '_') AS "toolNameStyle",
      budget_spent_until AS "budgetSpentUntil",
      (SELECT coalesce(jsonb_agg(jsonb_build_object('groupId', group_id)), '[]') FROM agent_group_member WHERE agent_id = agent.id) AS memberships,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('issuer', issuer, 'subject', subject)), '[]') FROM agent_identity WHERE agent_id = agent.id) AS identities,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'tools', tools, 'terms', terms)), '[]') FROM call_limit
        WHERE agent_id = agent.id OR group_id = ANY(ARRAY(SELECT group_id FROM agent_group_member WHERE agent_id = agent.id))) AS limits,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'hash', hash, 'pepperId', pepper_id, 'expiresAt', expires_at)), '[]')
        FROM agent_key WHERE agent_id = agent.id AND revoked_at IS NULL) AS keys
    FROM agent WHERE policy_bucket(id) = ANY(${buckets}::int[]) ORDER BY id`;
  return rows.map((row) => ({ ...row, keys: row.keys.map(liveKey) }));
}

type FoundAgent = Omit<AgentRow, 'keys'> & { keys: FoundKey[] };
type FoundKey = Omit<AgentKeyRow, 'expiresAt' | 'revokedAt'> & { expiresAt: string | null };

const liveKey = ({ expiresAt, ...key }: FoundKey): AgentKeyRow => ({
  ...key,
  expiresAt: expiresAt === null ? null : new Date(expiresAt),
  revokedAt: null,
});

export type RequestableRow = Pick<Requestable, 'id' | 'agentId' | 'groupId'>;

/** Rules of what may be asked for lie where their subject's grants do. */
export async function readRequestable(tx: Transaction, buckets: readonly number[]): Promise<RequestableRow[]> {
  return tx.$queryRaw<RequestableRow[]>`SELECT id::text AS id, agent_id::text AS "agentId", group_id::text AS "groupId" FROM requestable_rule
    WHERE policy_bucket(coalesce(agent_id, group_id)) = ANY(${buckets}::int[]) ORDER BY id`;
}

/** Grants lie in the bucket of their subject. */
export async function readGrants(tx: Transaction, buckets: readonly number[]): Promise<GrantRow[]> {
  return tx.$queryRaw<GrantRow[]>`
    SELECT id::text AS id, agent_id::text AS "agentId", group_id::text AS "groupId", server_id::text AS "serverId", selector, kind::text AS kind, names,
      effect::text AS effect, condition, pinned, rate_limit AS "rateLimit", mode::text AS mode, not_before AS "notBefore", expires_at AS "expiresAt"
    FROM access_grant WHERE policy_bucket(coalesce(agent_id, group_id)) = ANY(${buckets}::int[]) ORDER BY id`;
}
