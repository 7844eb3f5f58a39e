import type { PrismaClient } from '@portcullis/database';
import { inTransaction } from '../changes/in-transaction.js';

/** Deletes all servers, also while discoveries still write what they found. */
export const deleteServers = (database: PrismaClient): Promise<unknown> => inTransaction(database, (tx) => tx.server.deleteMany());
