import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { DefinitionKind, DefinitionState, Prisma, PrismaClient, Transaction } from '@portcullis/database';
import { isServed } from '../snapshots/is-served.js';
import { agentEntry, grantEntry } from '../snapshots/compile-entries.js';

/** A definition as policy sees it: `served` is whether nodes have it. */
export interface PolicyDefinition {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly state: DefinitionState;
  readonly served: boolean;
}

export interface PolicyServer {
  readonly id: string;
  readonly slug: string;
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
    select: { id: true, slug: true, enabled: true, toolNameStyle: true, memberships: { select: { groupId: true } } },
  });
  return row === null ? null : agentEntry({ ...row, keys: [] }, new Date());
}

export async function grantsOf(tx: Transaction, agent: AgentEntry): Promise<GrantEntry[]> {
  const rows = await tx.grant.findMany({ where: { OR: [{ agentId: agent.id }, { groupId: { in: [...agent.groupIds] } }] } });
  return rows.map(grantEntry);
}

export async function findServers(tx: Transaction, ids: readonly string[]): Promise<PolicyServer[]> {
  const definitions = {
    select: { kind: true, name: true, state: true, descriptionsOnly: true, approvedHash: true },
  } satisfies Prisma.Server$definitionsArgs;
  const rows = await tx.server.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, slug: true, enabled: true, suspendedAt: true, keepServing: true, discoveredAt: true, definitions },
    orderBy: { slug: 'asc' },
  });
  return rows.map(({ discoveredAt, suspendedAt, enabled, ...server }) => ({
    ...server,
    enabled: enabled && suspendedAt === null,
    suspended: suspendedAt !== null,
    discovered: discoveredAt !== null,
    definitions: server.definitions.map((definition) => ({ ...definition, served: isServed(definition, server) })),
  }));
}

export async function findServerId(tx: Transaction, slug: string): Promise<string | null> {
  return (await tx.server.findUnique({ where: { slug }, select: { id: true } }))?.id ?? null;
}
