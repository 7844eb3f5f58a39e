import type { Transaction } from '@portcullis/database';
import type { NetChange } from '../revisions/net-changes.js';
import type { Row } from '../revisions/policy-entities.js';
import type { PolicyView } from './policy-view.js';
import { readAgents, readGrants, readServers } from './read-rows.js';

/** Agents, grants and servers that a change is about, and what it made of those that are still there. */
export interface Touched {
  readonly agents: ReadonlySet<string>;
  readonly grants: ReadonlySet<string>;
  readonly servers: ReadonlySet<string>;
  readonly view: PolicyView;
}

/** What changes made of policy, as the transaction that made them sees it: it reads no other rows than they touched. */
export async function readTouched(tx: Transaction, changes: readonly NetChange[]): Promise<Touched> {
  const keysOf = (entity: string): string[] => changes.flatMap((change) => (change.entity.name === entity ? [change.key] : []));
  const members = keysOf('agent_group_member').map((key) => key.split('/')[1] ?? '');
  const [agents, grants] = [new Set([...keysOf('agent'), ...members]), new Set(keysOf('access_grant'))];
  const servers = new Set(await changedServers(tx, changes));
  const view = {
    agents: await readAgents(tx, [...agents]),
    grants: await readGrants(tx, [...grants]),
    servers: await readServers(tx, [...servers], true),
  };
  return { agents, grants, servers, view };
}

/** Servers that these changes are about, by themselves or by what they offer, as the transaction that made them sees it. */
async function changedServers(tx: Transaction, changes: readonly NetChange[]): Promise<string[]> {
  const of = (entity: string): readonly NetChange[] => changes.filter((change) => change.entity.name === entity);
  const servers = of('server').filter(decides(['enabled', 'suspended_at', 'keep_serving', 'tags', 'environment']));
  const definitions = of('definition');
  const rows = await tx.$queryRaw<
    { id: string }[]
  >`SELECT DISTINCT server_id::text AS id FROM definition WHERE id = ANY(${definitions.map(({ key }) => key)}::uuid[])`;
  const gone = textsOf(
    definitions.map(({ before }) => before ?? {}),
    'server_id',
  );
  return [...new Set([...servers.map(({ key }) => key), ...rows.map(({ id }) => id), ...gone])];
}

/** A row that came or went, or an update of one of these columns. */
export const decides =
  (columns: readonly string[]) =>
  ({ before, after }: NetChange): boolean =>
    before === null || after === null || columns.some((column) => Object.hasOwn(after, column));

/** What rows say in this column, where that is a text. */
export const textsOf = (rows: readonly Row[], column: string): string[] =>
  rows.map((row) => row[column]).filter((value) => typeof value === 'string');
