import type { Revision, Transaction } from '@portcullis/database';

export async function findRevision(db: Transaction, revision: number): Promise<Revision | null> {
  return db.revision.findUnique({ where: { revision } });
}

/** Newest first, one more than asked for. */
export async function listRevisions(db: Transaction, { before, limit }: { before?: number | undefined; limit: number }): Promise<Revision[]> {
  return db.revision.findMany({ where: before === undefined ? {} : { revision: { lt: before } }, orderBy: { revision: 'desc' }, take: limit + 1 });
}
