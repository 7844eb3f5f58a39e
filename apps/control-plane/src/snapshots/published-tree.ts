import { BUCKETS_PER_KIND, ChunkKind, INDEXES_PER_KIND, SnapshotRoot, type Digest } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { BUCKETS_PER_INDEX, indexOver, type Encoded } from '@portcullis/snapshot';

/** What was published of one bucket, and the oldest schema in which that is understood. */
export interface BucketNote {
  readonly digest: Digest;
  readonly schema: number;
}

/** The upper part of a published snapshot. What a root digest names never changes, so this may be kept for as long as that is the published one. */
export interface PublishedTree {
  readonly rootDigest: Digest;
  readonly root: SnapshotRoot;
  /** By bucket number; null where nothing lies in a bucket. */
  readonly buckets: Readonly<Record<ChunkKind, readonly (BucketNote | null)[]>>;
}

/** A tree that is being changed. */
export interface TreeDraft {
  readonly indexes: Record<ChunkKind, (Digest | null)[]>;
  readonly buckets: Record<ChunkKind, (BucketNote | null)[]>;
}

const none = (count: number): null[] => Array.from({ length: count }, () => null);

function emptyBuckets(): TreeDraft['buckets'] {
  return { servers: none(BUCKETS_PER_KIND), agents: none(BUCKETS_PER_KIND), grants: none(BUCKETS_PER_KIND) };
}

/** A copy of the tree to change, or one in which nothing lies. */
export function draftOf(tree: PublishedTree | undefined): TreeDraft {
  if (tree !== undefined) return { indexes: copied(tree.root.indexes), buckets: copied(tree.buckets) };
  const indexes = { servers: none(INDEXES_PER_KIND), agents: none(INDEXES_PER_KIND), grants: none(INDEXES_PER_KIND) };
  return { indexes, buckets: emptyBuckets() };
}

const copied = <Item>({ servers, agents, grants }: Readonly<Record<ChunkKind, readonly Item[]>>): Record<ChunkKind, Item[]> => ({
  servers: [...servers],
  agents: [...agents],
  grants: [...grants],
});

/** The published tree as Postgres holds it; undefined where its root is lost. */
export async function readTree(tx: Transaction, rootDigest: Digest): Promise<PublishedTree | undefined> {
  const row = await tx.snapshotChunk.findUnique({ where: { digest: rootDigest } });
  if (row === null) return undefined;
  const buckets = emptyBuckets();
  for (const { kind, bucket, digest, schema } of await tx.snapshotBucket.findMany()) buckets[kind][bucket] = { digest, schema };
  return { rootDigest, root: SnapshotRoot.parse(JSON.parse(Buffer.from(row.bytes).toString('utf8'))), buckets };
}

/** Encodes the indexes over these buckets and notes their digests. */
export function encodeIndexes({ indexes, buckets }: TreeDraft, kind: ChunkKind, changed: readonly number[]): Encoded[] {
  const touched = new Set(changed.map((bucket) => Math.floor(bucket / BUCKETS_PER_INDEX)));
  return [...touched].flatMap((index) => {
    const content = indexOver(kind, index, (bucket) => buckets[kind][bucket]?.digest ?? null);
    indexes[kind][index] = content?.digest ?? null;
    return content ?? [];
  });
}

/** The oldest schema that says everything in a tree: older nodes read it as long as they can. */
export const schemaOf = ({ buckets }: TreeDraft): number =>
  ChunkKind.options.reduce((schema, kind) => buckets[kind].reduce((highest, note) => Math.max(highest, note?.schema ?? 1), schema), 1);
