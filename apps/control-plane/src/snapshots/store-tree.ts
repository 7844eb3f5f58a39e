import type { ChunkKind } from '@portcullis/contracts/snapshot';
import { Prisma, type Transaction } from '@portcullis/database';
import type { Encoded } from '@portcullis/snapshot';
import type { BucketNote } from './published-tree.js';

/** What a bucket holds from now on. */
export interface BucketWrite {
  readonly kind: ChunkKind;
  readonly bucket: number;
  readonly note: BucketNote | null;
}

/** A part of a snapshot that is to be stored. */
export interface TreeWrites {
  readonly buckets: readonly BucketWrite[];
  readonly contents: readonly Encoded[];
}

interface Publication {
  readonly epoch: number;
  readonly revision: number;
  readonly rootDigest: string;
  readonly compileVersion: number;
  /** The revision that this one was compiled upon; 0 where everything was compiled. */
  readonly after: number;
}

/** Stores contents under their digests, and which bucket holds which. What a bucket held before begins its last day. */
export async function storeTree(tx: Transaction, writes: TreeWrites): Promise<void> {
  await tx.$executeRaw`WITH ${writing(writes)} SELECT 1`;
}

/** The same, and makes it the published snapshot: one statement, since everybody who waits for a change waits for each. */
export async function publishTree(tx: Transaction, writes: TreeWrites, publication: Publication): Promise<void> {
  const { epoch, revision, rootDigest, compileVersion, after } = publication;
  await tx.$executeRaw`WITH ${writing(writes)},
    told AS (UPDATE revision SET published_at = clock_timestamp() WHERE published_at IS NULL AND revision > ${after}::int AND revision <= ${revision}::int)
    INSERT INTO published_snapshot (id, epoch, revision, root_digest, compile_version, at)
    VALUES (1, ${epoch}::int, ${revision}::int, ${rootDigest}, ${compileVersion}::int, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision, root_digest = excluded.root_digest,
      compile_version = excluded.compile_version, at = excluded.at`;
}

// Each part sees the tables as they were before the statement. Digests are compared with arrays, which an index serves whatever the planner believes.
function writing({ buckets, contents }: TreeWrites): Prisma.Sql {
  const digests = contents.map(({ digest }) => digest);
  return Prisma.sql`
    put AS (SELECT * FROM unnest(${buckets.map(({ kind }) => kind)}::chunk_kind[], ${buckets.map(({ bucket }) => bucket)}::int[],
        ${buckets.map(({ note }) => note?.digest ?? null)}::text[], ${buckets.map(({ note }) => note?.schema ?? 1)}::int[])
      AS put(kind, bucket, digest, schema)),
    aged AS (UPDATE snapshot_chunk SET last_referenced = clock_timestamp() WHERE digest <> ALL(${digests}::text[]) AND digest = ANY(ARRAY(
      SELECT held.digest FROM snapshot_bucket held JOIN put USING (kind, bucket) WHERE held.digest IS DISTINCT FROM put.digest))),
    emptied AS (DELETE FROM snapshot_bucket held USING put WHERE held.kind = put.kind AND held.bucket = put.bucket AND put.digest IS NULL),
    filled AS (INSERT INTO snapshot_bucket (kind, bucket, digest, schema) SELECT kind, bucket, digest, schema FROM put WHERE digest IS NOT NULL
      ON CONFLICT (kind, bucket) DO UPDATE SET digest = excluded.digest, schema = excluded.schema),
    stored AS (INSERT INTO snapshot_chunk (digest, bytes, last_referenced)
      SELECT digest, bytes, clock_timestamp() FROM unnest(${digests}::text[], ${contents.map(({ bytes }) => bytes)}::bytea[]) AS content(digest, bytes)
      ON CONFLICT (digest) DO UPDATE SET last_referenced = excluded.last_referenced)`;
}
