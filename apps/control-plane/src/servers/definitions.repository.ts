import type { ListDefinitionsQuery } from '@portcullis/contracts/api/servers';
import type { Definition, DefinitionState, PrismaClient, Transaction } from '@portcullis/database';
import { literalLike } from '../database/literal-like.js';

/** What a decision needs to know of a definition. */
export type DecidedRow = Pick<Definition, 'id' | 'kind' | 'name' | 'state' | 'hash' | 'approvedHash'>;

const decidedFields = { id: true, kind: true, name: true, state: true, hash: true, approvedHash: true } as const;

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

/** Discovery and other decisions about this server wait until the transaction ends. */
export async function lockDefinitions(tx: Transaction, serverId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM server WHERE id = ${serverId}::uuid FOR UPDATE`;
}

export async function findInStates(tx: Transaction, serverId: string, states: readonly DefinitionState[]): Promise<DecidedRow[]> {
  return tx.definition.findMany({ where: { serverId, state: { in: [...states] } }, select: decidedFields, orderBy: { id: 'asc' } });
}

export async function findByIds(tx: Transaction, serverId: string, ids: readonly string[]): Promise<DecidedRow[]> {
  return tx.definition.findMany({ where: { serverId, id: { in: [...ids] } }, select: decidedFields, orderBy: { id: 'asc' } });
}

/** What is offered now becomes what was approved. */
export async function approveDefinitions(tx: Transaction, ids: readonly string[], by: string): Promise<void> {
  await tx.$executeRaw`UPDATE definition SET state = 'approved', approved_json = json, approved_hash = hash, decided_at = clock_timestamp(), decided_by = ${by}
    WHERE id = ANY(${[...ids]}::uuid[])`;
}

/** Nothing of it is approved any more. */
export async function rejectDefinitions(tx: Transaction, ids: readonly string[], by: string): Promise<void> {
  await tx.definition.updateMany({
    where: { id: { in: [...ids] } },
    data: { state: 'rejected', approvedJson: null, approvedHash: null, decidedAt: new Date(), decidedBy: by },
  });
}

/** None of it has been seen at the server's address: what was approved comes back when it is found there, byte for byte. */
export async function forgetSightings(tx: Transaction, serverId: string): Promise<void> {
  await tx.definition.updateMany({ where: { serverId, state: { in: ['approved', 'changed'] } }, data: { state: 'removed' } });
}
