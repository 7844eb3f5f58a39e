import type { Operator, OperatorRole, OperatorToken, Prisma, Transaction } from '@portcullis/database';

const isId = (reference: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(reference);

export async function findOperator(db: Transaction, reference: string): Promise<Operator | null> {
  return db.operator.findUnique({ where: isId(reference) ? { id: reference } : { name: reference } });
}

/** In order of name, one more than asked for. */
export async function listOperators(db: Transaction, { after, limit }: { after?: string | undefined; limit: number }): Promise<Operator[]> {
  return db.operator.findMany({ where: after === undefined ? {} : { name: { gt: after } }, orderBy: { name: 'asc' }, take: limit + 1 });
}

export async function insertOperator(db: Transaction, data: { name: string; role: OperatorRole; breakGlass: boolean }): Promise<Operator> {
  return db.operator.create({ data });
}

export async function updateOperator(db: Transaction, id: string, data: Prisma.OperatorUpdateInput): Promise<Operator> {
  return db.operator.update({ where: { id }, data });
}

export async function deleteOperator(db: Transaction, id: string): Promise<void> {
  await db.operator.delete({ where: { id } });
}

/** Makes others who want to take an administrator away wait, so that two cannot take the last two at once. */
export async function lockOperators(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis operators'))`;
}

export async function countAdmins(db: Transaction): Promise<number> {
  return db.operator.count({ where: { role: 'admin', enabled: true } });
}

/** In order of id, one more than asked for. */
export async function listTokens(
  db: Transaction,
  operatorId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<OperatorToken[]> {
  return db.operatorToken.findMany({
    where: { operatorId, ...(after === undefined ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
}

export async function insertToken(db: Transaction, data: Prisma.OperatorTokenUncheckedCreateInput): Promise<OperatorToken> {
  return db.operatorToken.create({ data });
}

export async function findToken(db: Transaction, operatorId: string, id: string): Promise<OperatorToken | null> {
  return db.operatorToken.findFirst({ where: { id, operatorId } });
}

export async function revokeToken(db: Transaction, id: string, at: Date): Promise<void> {
  await db.operatorToken.update({ where: { id }, data: { revokedAt: at } });
}
