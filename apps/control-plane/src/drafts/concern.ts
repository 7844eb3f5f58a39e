import { TargetSelector } from '@portcullis/contracts/grants';
import type { GrantEntry } from '@portcullis/contracts/snapshot';
import { Prisma, type Transaction } from '@portcullis/database';
import { selectsServer } from '@portcullis/policy';
import type { NetChange } from '../revisions/net-changes.js';
import { decides, textsOf, type Touched } from './touched.js';

/** Whom and what changes of policy can concern. */
export interface Concern {
  readonly agents: readonly string[];
  readonly servers: readonly string[];
}

type GrantRow = Readonly<Record<string, unknown>> & Partial<Record<'agent_id' | 'group_id' | 'server_id' | 'selector', unknown>>;

/**
 * Every agent and server between which these changes can make a difference, found in the state before them: what they brought is in the changes
 * themselves, and in what they touched.
 */
export async function concernOf(tx: Transaction, changes: readonly NetChange[], touched: Touched): Promise<Concern> {
  const of = (entity: string): readonly NetChange[] => changes.filter((change) => change.entity.name === entity);
  const changed = [...touched.servers];
  const changedGrants = [...(await selectGrants(tx, Prisma.sql`id = ANY(${[...touched.grants]}::uuid[])`)), ...touched.view.grants.map(grantRow)];
  const memberships = of('agent_group_member').map(({ key }) => key.split('/'));
  const switched = of('agent')
    .filter(decides(['enabled']))
    .map(({ key }) => key);

  const groupsNow = await groupsOf(tx, switched);
  const reaching = await grantsTo(tx, changed);
  const throughMembership = await grantsOf(tx, switched, [...groupsNow, ...memberships.map(([group]) => group ?? '')]);
  const speakers = changed.length === 0 ? changedGrants : [...changedGrants, ...reaching];
  const agents = [
    ...textsOf(speakers, 'agent_id'),
    ...(await membersOf(tx, textsOf(speakers, 'group_id'))),
    ...memberships.map(([, agent]) => agent ?? ''),
    ...switched,
  ];
  const targeting = [...changedGrants, ...throughMembership];
  const servers = [...textsOf(targeting, 'server_id'), ...(await selectedBy(tx, targeting)), ...changed];
  return { agents: [...new Set(agents)], servers: [...new Set(servers)] };
}

/** These agents, and every server that their grants are about. */
export async function concernOfAgents(tx: Transaction, agents: readonly string[]): Promise<Concern> {
  const grants = await grantsOf(tx, agents, await groupsOf(tx, agents));
  return { agents, servers: [...new Set([...textsOf(grants, 'server_id'), ...(await selectedBy(tx, grants))])] };
}

/** Servers that any of these grants selects as they are now; those that it selected before are themselves changed. */
async function selectedBy(tx: Transaction, grants: readonly GrantRow[]): Promise<string[]> {
  const texts = new Set(grants.filter(({ selector }) => (selector ?? null) !== null).map(({ selector }) => JSON.stringify(selector)));
  if (texts.size === 0) return [];
  const selectors = [...texts].map((text) => TargetSelector.parse(JSON.parse(text)));
  const servers = await tx.server.findMany({ select: { id: true, tags: true, environment: true } });
  return servers.filter((server) => selectors.some((selector) => selectsServer(selector, server))).map(({ id }) => id);
}

function grantRow({ subject, target }: GrantEntry): GrantRow {
  const who = 'agentId' in subject ? { agent_id: subject.agentId } : { group_id: subject.groupId };
  return 'serverId' in target ? { ...who, server_id: target.serverId } : { ...who, selector: target.selector };
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
