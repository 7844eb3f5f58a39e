import { ChunkKind, type Digest } from '@portcullis/contracts/snapshot';
import type { PrismaClient, Transaction } from '@portcullis/database';
import type { Encoded } from '@portcullis/snapshot';
import type { PublishedTree } from './published-tree.js';

const DAY_MS = 86_400_000;

type Reader = PrismaClient | Transaction;

/** The bytes under a digest. */
export async function readContent(database: Reader, digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const row = await database.snapshotChunk.findUnique({ where: { digest } });
  return row?.bytes;
}

/** Those of these contents that are stored. */
export async function readContents(database: Reader, digests: readonly Digest[]): Promise<Encoded[]> {
  return database.snapshotChunk.findMany({ where: { digest: { in: [...digests] } }, select: { digest: true, bytes: true } });
}

/** Root, settings and indexes: what a look at presence asks for. */
export function upperDigests({ rootDigest, root }: PublishedTree): Digest[] {
  return [rootDigest, root.settings, ...ChunkKind.options.flatMap((kind) => root.indexes[kind].filter((digest) => digest !== null))];
}

/** Everything a snapshot refers to, root included. */
export function referencedDigests(tree: PublishedTree): Digest[] {
  return [...upperDigests(tree), ...ChunkKind.options.flatMap((kind) => tree.buckets[kind].flatMap((note) => note?.digest ?? []))];
}

/** Forgets contents that nothing has referred to for a day, and notes of dirty buckets that are long compiled. */
export async function pruneSnapshots(database: PrismaClient, referenced: readonly Digest[], publishedRevision: number): Promise<void> {
  await database.$transaction([
    database.snapshotChunk.updateMany({ where: { digest: { in: [...referenced] } }, data: { lastReferenced: new Date() } }),
    database.snapshotChunk.deleteMany({ where: { lastReferenced: { lt: new Date(Date.now() - DAY_MS) }, digest: { notIn: [...referenced] } } }),
    database.dirtyBucket.deleteMany({ where: { revision: { lte: publishedRevision } } }),
  ]);
}
