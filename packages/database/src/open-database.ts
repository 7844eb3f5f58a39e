import { PrismaPg } from '@prisma/adapter-pg';
import { Prisma, PrismaClient } from './generated/prisma/client.js';

/**
 * A client over a pool of at most `connectionsMax` connections, for one of which a caller waits `connectionWaitMs` at most. Connects on first use; end
 * it with `$disconnect()`.
 */
export function openDatabase(url: string, connectionsMax = 10, connectionWaitMs = 30_000): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: connectionsMax, connectionTimeoutMillis: connectionWaitMs }) });
}

/** What both the client and an open transaction offer. */
export type Transaction = Prisma.TransactionClient;

/** The unique index that a write ran into, if that is what went wrong. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
