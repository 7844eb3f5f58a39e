import { CARRIED_BUCKETS_MAX, type CarriedBucket, type CarriedChanges, type ChunkKind, type Digest } from '@portcullis/contracts/snapshot';
import type { Transaction } from '@portcullis/database';
import { changeOfBucket, isCarried, type Encoded } from '@portcullis/snapshot';
import type { PublishedTree } from './published-tree.js';
import { readContents } from './stored-contents.js';

interface Compiled {
  readonly base: PublishedTree;
  readonly buckets: PublishedTree['buckets'];
  readonly dirty: readonly { readonly kind: ChunkKind; readonly bucket: number }[];
  /** Holds the new content of each of these buckets. */
  readonly added: readonly Encoded[];
}

/** What a revision changed of agents and grants, for its head; undefined where it is too much for that, or something else changed as well. */
export async function changesToCarry(tx: Transaction, { base, buckets, dirty, added }: Compiled): Promise<CarriedChanges | undefined> {
  const moved: Moved[] = [];
  for (const { kind, bucket } of dirty) {
    const [before, after] = [base.buckets[kind][bucket]?.digest ?? null, buckets[kind][bucket]?.digest ?? null];
    if (before === after) continue;
    if (kind === 'servers' || moved.length === CARRIED_BUCKETS_MAX) return undefined;
    moved.push({ kind, bucket, digests: [before, after] });
  }
  const replaced = moved.flatMap(({ digests: [before] }) => before ?? []);
  const stored = replaced.length === 0 ? [] : await readContents(tx, replaced);
  const contents = new Map([...stored, ...added].map(({ digest, bytes }) => [digest, bytes]));
  const changes = { after: base.root.revision, buckets: moved.map((one) => changeOf(one, contents)) };
  return isCarried(changes) ? changes : undefined;
}

interface Moved {
  readonly kind: CarriedBucket['kind'];
  readonly bucket: number;
  readonly digests: readonly [before: Digest | null, after: Digest | null];
}

function changeOf({ kind, bucket, digests: [before, after] }: Moved, contents: ReadonlyMap<Digest, Uint8Array>): CarriedBucket {
  const contentOf = (digest: Digest | null): Uint8Array | null => (digest === null ? null : (contents.get(digest) ?? null));
  return changeOfBucket(kind, bucket, [contentOf(before), contentOf(after)]);
}
