import type { AccessRequestStatus } from '@portcullis/contracts/api/access-requests';
import type { AccessRequest, Prisma, Transaction } from '@portcullis/database';

export interface RequestFilter {
  readonly agentId?: string | undefined;
  readonly status?: AccessRequestStatus | undefined;
}

/** Newest first, one more than asked for. */
export async function listRequests(
  db: Transaction,
  { agentId, status }: RequestFilter,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<AccessRequest[]> {
  const isOver = { status: 'open', expiresAt: { lte: new Date() } } as const;
  const inStatus: Prisma.AccessRequestWhereInput =
    status === 'open'
      ? { status, expiresAt: { gt: new Date() } }
      : status === 'expired'
        ? { OR: [{ status }, isOver] }
        : status === undefined
          ? {}
          : { status };
  return db.accessRequest.findMany({
    where: { AND: [inStatus, agentId === undefined ? {} : { agentId }, before === undefined ? {} : { id: { lt: before } }] },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
}

export async function findRequest(db: Transaction, id: string): Promise<AccessRequest | null> {
  return db.accessRequest.findUnique({ where: { id } });
}

/** The row, held until the transaction ends: of two decisions at once one finds the other's. */
export async function lockRequest(tx: Transaction, id: string): Promise<AccessRequest | null> {
  await tx.$queryRaw`SELECT 1 FROM access_request WHERE id = ${id}::uuid FOR UPDATE`;
  return findRequest(tx, id);
}

/** Requests of one agent are filed one after the other, so that no two find the last place free. */
export async function lockFiling(tx: Transaction, agentId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('portcullis access requests ' || ${agentId}, 0))`;
}

export async function openRequests(tx: Transaction, agentId: string): Promise<AccessRequest[]> {
  return tx.accessRequest.findMany({ where: { agentId, status: 'open', expiresAt: { gt: new Date() } } });
}

export async function countFiledSince(tx: Transaction, agentId: string, since: Date): Promise<number> {
  return tx.accessRequest.count({ where: { agentId, filedBy: null, createdAt: { gt: since } } });
}

export async function insertRequest(tx: Transaction, data: Prisma.AccessRequestCreateInput): Promise<AccessRequest> {
  return tx.accessRequest.create({ data });
}

export async function updateRequest(tx: Transaction, id: string, data: Prisma.AccessRequestUpdateInput): Promise<AccessRequest> {
  return tx.accessRequest.update({ where: { id }, data });
}
