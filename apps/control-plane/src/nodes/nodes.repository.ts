import { Inject, Injectable } from '@nestjs/common';
import type { NodeStatus } from '@portcullis/contracts/node';
import { Prisma, PrismaClient, type Node, type Transaction } from '@portcullis/database';

/** What enrolment gives a node. */
export interface Enrolled {
  readonly name: string;
  readonly keyId: string;
  readonly keyHash: string;
  readonly pepperId: string;
  readonly sealingPublicKey: string;
}

@Injectable()
export class NodesRepository {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  /** By name; `limit + 1` rows, for `pageFrom`. */
  async list(after: string | undefined, limit: number): Promise<Node[]> {
    return this.database.node.findMany({ where: after === undefined ? {} : { name: { gt: after } }, orderBy: { name: 'asc' }, take: limit + 1 });
  }

  async byKeyId(keyId: string): Promise<Node | null> {
    return this.database.node.findUnique({ where: { keyId } });
  }

  /** Under a name that is known, the new key takes the place of the old one. */
  async enrol(tx: Transaction, { name, ...keys }: Enrolled): Promise<Node> {
    const enrolledAt = new Date();
    return tx.node.upsert({ where: { name }, create: { name, ...keys, enrolledAt }, update: { ...keys, enrolledAt } });
  }

  async remove(tx: Transaction, id: string): Promise<Node | undefined> {
    const node = await tx.node.findUnique({ where: { id } });
    if (node !== null) await tx.node.delete({ where: { id } });
    return node ?? undefined;
  }
}

/** Keeps what a node reports. Does nothing for one that was removed meanwhile. */
export async function storeStatus(database: PrismaClient, id: string, status: NodeStatus): Promise<void> {
  const { boot, version, url, epoch, appliedRevision, policyAgeMs, schemaMax = 1, refused } = status;
  await database.node.updateMany({
    where: { id },
    data: { boot, version, url, epoch, appliedRevision, policyAgeMs, schemaMax, refused: refused ?? Prisma.DbNull, lastSeenAt: new Date() },
  });
}
