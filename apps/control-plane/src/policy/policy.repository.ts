import { DefinitionKind } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { DefinitionState, Prisma, PrismaClient, Transaction } from '@portcullis/database';
import { isServed } from '../snapshots/is-served.js';
import { selectsServer, type ServerFacts } from '@portcullis/policy';
import { agentEntry, grantEntry } from '../snapshots/compile-entries.js';

/** A definition as policy sees it: `served` is whether nodes have it. */
export interface PolicyDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly state: DefinitionState;
  readonly served: boolean;
  /** What was approved, by whose annotations selectors choose; `{}`, which says nothing, where no grant asks. */
  readonly json: string;
}

export interface PolicyServer extends ServerFacts {
  readonly enabled: boolean;
  /** Suspended for what it changed; `enabled` is false then too. */
  readonly suspended: boolean;
  readonly discovered: boolean;
  readonly definitions: readonly PolicyDefinition[];
}

/** Reads that belong together see one state of policy, whatever is written meanwhile. */
export async function atOneRevision<T>(database: PrismaClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return database.$transaction(work, { isolationLevel: 'RepeatableRead', maxWait: 10_000, timeout: 30_000 });
}

export async function currentRevision(tx: Transaction): Promise<number> {
  return (await tx.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { revision: true } })).revision;
}

/** The agent as nodes know it, less its keys. */
export async function findAgentEntry(tx: Transaction, reference: string): Promise<AgentEntry | null> {
  const row = await tx.agent.findUnique({
    where: reference.length === 36 ? { id: reference } : { slug: reference },
    select: { id: true, slug: true, enabled: true, toolNameStyle: true, budgetSpentUntil: true, memberships: { select: { groupId: true } } },
  });
  return row === null ? null : agentEntry({ ...row, keys: [] }, new Date());
}

export async function groupSlugs(tx: Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.group.findMany({ where: { id: { in: [...ids] } }, select: { id: true, slug: true } });
  return new Map(rows.map(({ id, slug }) => [id, slug]));
}

export async function grantsOf(tx: Transaction, agent: AgentEntry): Promise<GrantEntry[]> {
  const rows = await tx.grant.findMany({ where: { OR: [{ agentId: agent.id }, { groupId: { in: [...agent.groupIds] } }] } });
  return rows.map(grantEntry);
}

/** The servers that these grants name or select, in order of slug. */
export async function findGrantedServers(tx: Transaction, grants: readonly GrantEntry[]): Promise<PolicyServer[]> {
  const named = grants.flatMap(({ target }) => ('serverId' in target ? [target.serverId] : []));
  const selectors = grants.flatMap(({ target }) => ('selector' in target ? [target.selector] : []));
  const all = selectors.length === 0 ? [] : await tx.server.findMany({ select: { id: true, tags: true, environment: true } });
  const selected = all.filter((server) => selectors.some((selector) => selectsServer(selector, server)));
  return findServers(tx, [...new Set([...named, ...selected.map(({ id }) => id)])], asksAnnotations(grants));
}

/** Whether what tools say of themselves matters to any of these grants. */
export const asksAnnotations = (grants: readonly GrantEntry[]): boolean =>
  grants.some(({ target }) => 'selector' in target && target.selector.annotations !== undefined);

export async function findServers(tx: Transaction, ids: readonly string[], withDefinitions: boolean): Promise<PolicyServer[]> {
  const approvedJson = withDefinitions;
  const definitions = {
    where: { kind: { in: DefinitionKind.options } }, // instructions are no target
    select: { kind: true, name: true, state: true, descriptionsOnly: true, approvedHash: true, approvedJson },
  } satisfies Prisma.Server$definitionsArgs;
  const rows = await tx.server.findMany({
    where: { id: { in: [...ids] } },
    select: {
      id: true,
      slug: true,
      tags: true,
      environment: true,
      enabled: true,
      suspendedAt: true,
      keepServing: true,
      discoveredAt: true,
      definitions,
    },
    orderBy: { slug: 'asc' },
  });
  return rows.map(({ discoveredAt, suspendedAt, enabled, ...server }) => ({
    ...server,
    enabled: enabled && suspendedAt === null,
    suspended: suspendedAt !== null,
    discovered: discoveredAt !== null,
    definitions: server.definitions.map(({ approvedJson: json, ...definition }) => ({
      ...definition,
      kind: DefinitionKind.parse(definition.kind),
      served: isServed(definition, server),
      json: json instanceof Uint8Array ? Buffer.from(json).toString('utf8') : '{}',
    })),
  }));
}

export async function findServerId(tx: Transaction, slug: string): Promise<string | null> {
  return (await tx.server.findUnique({ where: { slug }, select: { id: true } }))?.id ?? null;
}
