import { ChunkKind, SnapshotIndex, type Digest, type SnapshotRoot } from '@portcullis/contracts/snapshot';
import type { PrismaClient, Transaction } from '@portcullis/database';
import type { Encoded } from '@portcullis/snapshot';

const DAY_MS = 86_400_000;
const ROWS_AT_ONCE = 200;

type Reader = PrismaClient | Transaction;

/** Keeps contents under their digests. Content that is there already only becomes young again. */
export async function storeContents(tx: Transaction, contents: readonly Encoded[]): Promise<void> {
  const lastReferenced = new Date();
  for (let from = 0; from < contents.length; from += ROWS_AT_ONCE) {
    const some = contents.slice(from, from + ROWS_AT_ONCE);
    const known = await tx.snapshotChunk.updateManyAndReturn({
      where: { digest: { in: some.map(({ digest }) => digest) } },
      data: { lastReferenced },
      select: { digest: true },
    });
    const present = new Set(known.map(({ digest }) => digest));
    const missing = some.filter(({ digest }) => !present.has(digest));
    if (missing.length > 0) {
      await tx.snapshotChunk.createMany({
        data: missing.map(({ digest, bytes }) => ({ digest, bytes: Uint8Array.from(bytes), lastReferenced })),
        skipDuplicates: true,
      });
    }
  }
}

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
export function upperDigests(rootDigest: Digest, root: SnapshotRoot): Digest[] {
  return [rootDigest, root.settings, ...ChunkKind.options.flatMap((kind) => root.indexes[kind].filter((digest) => digest !== null))];
}

/** Everything a snapshot refers to, root included. */
export async function referencedDigests(database: Reader, rootDigest: Digest, root: SnapshotRoot): Promise<Digest[]> {
  const upper = upperDigests(rootDigest, root);
  const indexes = (await readContents(database, upper)).filter(({ digest }) => digest !== rootDigest && digest !== root.settings);
  const chunks = indexes.flatMap(({ bytes }) => SnapshotIndex.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).chunks);
  return [...new Set([...upper, ...chunks.filter((digest) => digest !== null)])];
}

/** Forgets contents that nothing has referred to for a day, and notes of dirty buckets that are long compiled. */
export async function pruneSnapshots(database: PrismaClient, referenced: readonly Digest[], publishedRevision: number): Promise<void> {
  await database.$transaction([
    database.snapshotChunk.updateMany({ where: { digest: { in: [...referenced] } }, data: { lastReferenced: new Date() } }),
    database.snapshotChunk.deleteMany({ where: { lastReferenced: { lt: new Date(Date.now() - DAY_MS) }, digest: { notIn: [...referenced] } } }),
    database.dirtyBucket.deleteMany({ where: { revision: { lte: publishedRevision } } }),
  ]);
}
