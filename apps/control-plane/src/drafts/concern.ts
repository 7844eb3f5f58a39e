import { TargetSelector } from '@portcullis/contracts/grants';
import { Prisma, type Transaction } from '@portcullis/database';
import { selectsServer } from '@portcullis/policy';
import type { NetChange } from '../revisions/net-changes.js';
import type { Row } from '../revisions/policy-entities.js';

/** Whom and what changes of policy can concern. */
export interface Concern {
  readonly agents: readonly string[];
  readonly servers: readonly string[];
  /** Servers that are themselves changed, or what they offer is: all others are before as they are after. */
  readonly changed: readonly string[];
}

type GrantRow = Readonly<Record<string, unknown>> & Partial<Record<'agent_id' | 'group_id' | 'server_id' | 'selector', unknown>>;

/**
 * Every agent and server between which these changes can make a difference, found in the state after them: what they took away is in the
 * changes themselves.
 */
export async function concernOf(tx: Transaction, changes: readonly NetChange[]): Promise<Concern> {
  const of = (entity: string): readonly NetChange[] => changes.filter((change) => change.entity.name === entity);
  const changedGrants = await grantRows(tx, of('access_grant'));
  const memberships = of('agent_group_member').map(({ key }) => key.split('/'));
  const switched = of('agent')
    .filter(decides(['enabled']))
    .map(({ key }) => key);
  const changedServers = await serversOf(
    tx,
    of('server').filter(decides(['enabled', 'suspended_at', 'keep_serving', 'tags', 'environment'])),
    of('definition'),
  );

  const groupsNow = await groupsOf(tx, switched);
  const reaching = await grantsTo(tx, changedServers);
  const throughMembership = await grantsOf(tx, switched, [...groupsNow, ...memberships.map(([group]) => group ?? '')]);
  const speakers = changedServers.length === 0 ? changedGrants : [...changedGrants, ...reaching];
  const agents = [
    ...texts(speakers, 'agent_id'),
    ...(await membersOf(tx, texts(speakers, 'group_id'))),
    ...memberships.map(([, agent]) => agent ?? ''),
    ...switched,
  ];
  const targeting = [...changedGrants, ...throughMembership];
  const servers = [...texts(targeting, 'server_id'), ...(await selectedBy(tx, targeting)), ...changedServers];
  return { agents: [...new Set(agents)], servers: [...new Set(servers)], changed: changedServers };
}

/** These agents, and every server that their grants are about. */
export async function concernOfAgents(tx: Transaction, agents: readonly string[]): Promise<Concern> {
  const grants = await grantsOf(tx, agents, await groupsOf(tx, agents));
  return { agents, servers: [...new Set([...texts(grants, 'server_id'), ...(await selectedBy(tx, grants))])], changed: [] };
}

/** Servers that any of these grants selects as they are now; those that it selected before are themselves changed. */
async function selectedBy(tx: Transaction, grants: readonly GrantRow[]): Promise<string[]> {
  const texts = new Set(grants.filter(({ selector }) => (selector ?? null) !== null).map(({ selector }) => JSON.stringify(selector)));
  if (texts.size === 0) return [];
  const selectors = [...texts].map((text) => TargetSelector.parse(JSON.parse(text)));
  const servers = await tx.server.findMany({ select: { id: true, tags: true, environment: true } });
  return servers.filter((server) => selectors.some((selector) => selectsServer(selector, server))).map(({ id }) => id);
}

const texts = (rows: readonly Row[], column: string): string[] => rows.map((row) => row[column]).filter((value) => typeof value === 'string');

/** A row that came or went, or an update of one of these columns. */
const decides =
  (columns: readonly string[]) =>
  ({ before, after }: NetChange): boolean =>
    before === null || after === null || columns.some((column) => Object.hasOwn(after, column));

async function grantRows(tx: Transaction, changes: readonly NetChange[]): Promise<GrantRow[]> {
  const updated = changes.filter(({ before, after }) => before !== null && after !== null).map(({ key }) => key);
  const whole = changes.flatMap(({ before, after }) => (before !== null && after !== null ? [] : [before ?? after ?? {}]));
  return [...whole, ...(await selectGrants(tx, Prisma.sql`id = ANY(${updated}::uuid[])`))];
}

const selectGrants = (tx: Transaction, where: Prisma.Sql): Promise<GrantRow[]> =>
  tx.$queryRaw<GrantRow[]>`SELECT DISTINCT agent_id::text, group_id::text, server_id::text, selector FROM access_grant WHERE ${where}`;

const grantsTo = (tx: Transaction, servers: readonly string[]): Promise<GrantRow[]> =>
  selectGrants(tx, Prisma.sql`server_id = ANY(${[...servers]}::uuid[]) OR (selector IS NOT NULL AND ${servers.length > 0})`);

const grantsOf = (tx: Transaction, agents: readonly string[], groups: readonly string[]): Promise<GrantRow[]> =>
  selectGrants(tx, Prisma.sql`agent_id = ANY(${[...agents]}::uuid[]) OR group_id = ANY(${[...groups]}::uuid[])`);

async function membersOf(tx: Transaction, groups: readonly string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<
    { id: string }[]
  >`SELECT DISTINCT agent_id::text AS id FROM agent_group_member WHERE group_id = ANY(${[...groups]}::uuid[])`;
  return rows.map(({ id }) => id);
}

async function groupsOf(tx: Transaction, agents: readonly string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<
    { id: string }[]
  >`SELECT DISTINCT group_id::text AS id FROM agent_group_member WHERE agent_id = ANY(${[...agents]}::uuid[])`;
  return rows.map(({ id }) => id);
}

async function serversOf(tx: Transaction, servers: readonly NetChange[], definitions: readonly NetChange[]): Promise<string[]> {
  const rows = await tx.$queryRaw<
    { id: string }[]
  >`SELECT DISTINCT server_id::text AS id FROM definition WHERE id = ANY(${definitions.map(({ key }) => key)}::uuid[])`;
  const gone = texts(
    definitions.map(({ before }) => before ?? {}),
    'server_id',
  );
  return [...new Set([...servers.map(({ key }) => key), ...rows.map(({ id }) => id), ...gone])];
}
