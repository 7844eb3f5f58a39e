import type { ListDefinitionsQuery } from '@portcullis/contracts/api/servers';
import type { Definition, DefinitionState, PrismaClient, Transaction } from '@portcullis/database';
import { literalLike } from '../database/literal-like.js';

/** What a decision needs to know of a definition. */
export type DecidedRow = Pick<Definition, 'id' | 'serverId' | 'kind' | 'name' | 'state' | 'hash' | 'approvedHash'>;

/** Who decided, and why. */
export interface DecisionFacts {
  readonly by: string;
  readonly reason: string | undefined;
}

const decidedFields = { id: true, serverId: true, kind: true, name: true, state: true, hash: true, approvedHash: true } as const;

/** In order of id, which is the order of first sight; one more than asked for. */
export async function listDefinitions(
  db: PrismaClient,
  serverId: string,
  { state, kind, q, limit }: ListDefinitionsQuery,
  after: string | undefined,
): Promise<Definition[]> {
  return db.definition.findMany({
    where: {
      serverId,
      ...(after === undefined ? {} : { id: { gt: after } }),
      ...(state === undefined ? {} : { state }),
      ...(kind === undefined ? {} : { kind }),
      ...(q === undefined ? {} : { name: { contains: literalLike(q), mode: 'insensitive' } }),
    },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

export async function findDefinition(db: PrismaClient, serverId: string, id: string): Promise<Definition | null> {
  return db.definition.findFirst({ where: { id, serverId } });
}

/** Discovery and other decisions about these servers wait until the transaction ends. In order of id, so that two such locks never wait for each other. */
export async function lockDefinitions(tx: Transaction, serverIds: readonly string[]): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM server WHERE id = ANY(${[...serverIds]}::uuid[]) ORDER BY id FOR UPDATE`;
}

export async function findInStates(tx: Transaction, serverId: string, states: readonly DefinitionState[]): Promise<DecidedRow[]> {
  return tx.definition.findMany({ where: { serverId, state: { in: [...states] } }, select: decidedFields, orderBy: { id: 'asc' } });
}

export async function findByIds(tx: Transaction, serverId: string, ids: readonly string[]): Promise<DecidedRow[]> {
  return tx.definition.findMany({ where: { serverId, id: { in: [...ids] } }, select: decidedFields, orderBy: { id: 'asc' } });
}

/** What is offered now becomes what was approved. */
export async function approveDefinitions(tx: Transaction, ids: readonly string[], { by, reason }: DecisionFacts): Promise<void> {
  await tx.$executeRaw`UPDATE definition SET state = 'approved', approved_json = json, approved_hash = hash, descriptions_only = false,
      decided_at = clock_timestamp(), decided_by = ${by}
    WHERE id = ANY(${[...ids]}::uuid[])`;
  await noteDecision(tx, ids, { verdict: 'approved', by, reason });
}

/** Nothing of it is approved any more. */
export async function rejectDefinitions(tx: Transaction, ids: readonly string[], { by, reason }: DecisionFacts): Promise<void> {
  await tx.definition.updateMany({
    where: { id: { in: [...ids] } },
    data: { state: 'rejected', approvedJson: null, approvedHash: null, descriptionsOnly: false, decidedAt: new Date(), decidedBy: by },
  });
  await noteDecision(tx, ids, { verdict: 'rejected', by, reason });
}

/** In the history of changes, at those that waited for it. */
async function noteDecision(
  tx: Transaction,
  ids: readonly string[],
  { verdict, by, reason }: DecisionFacts & { verdict: 'approved' | 'rejected' },
): Promise<void> {
  await tx.definitionChange.updateMany({
    where: { definitionId: { in: [...ids] }, decision: null },
    data: { decision: verdict, decidedAt: new Date(), decidedBy: by, decisionReason: reason ?? null },
  });
}

/**
 * None of it has been seen at the server's address: what was approved comes back when it is found there, byte for byte. What is found there first
 * is no drift of what was found elsewhere.
 */
export async function forgetSightings(tx: Transaction, serverId: string): Promise<void> {
  await tx.server.update({ where: { id: serverId }, data: { driftCountedSince: null, tlsKey: null } });
  await tx.$executeRaw`UPDATE definition SET state = 'removed', last_seen_at = coalesce((SELECT seen_at FROM server WHERE id = ${serverId}::uuid), last_seen_at)
    WHERE server_id = ${serverId}::uuid AND state IN ('approved', 'changed')`;
}
