import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { PrismaClient } from '@portcullis/database';
import type { SnapshotStore } from '@portcullis/snapshot';
import type { CommittedSnapshot } from './commit-snapshot.js';
import type { PublishedTree } from './published-tree.js';
import { readContents, referencedDigests, upperDigests } from './stored-contents.js';

const CONTENTS_AT_ONCE = 200;

/**
 * Brings a committed snapshot to Redis: contents first, the head last. What Redis has lost since is put again, so that a flushed Redis heals
 * with the next head.
 */
export async function distributeSnapshot(database: PrismaClient, store: SnapshotStore, snapshot: CommittedSnapshot, head: SignedHead): Promise<void> {
  const { added } = snapshot;
  if (added !== undefined && (await store.publish(head, added, upperDigests(snapshot)))) return;
  await refreshContents(database, store, snapshot);
  await store.publishHead(head);
}

/** Extends the life of everything the snapshot refers to, and puts again what is gone. Returns what it refers to. */
export async function refreshContents(database: PrismaClient, store: SnapshotStore, tree: PublishedTree): Promise<Digest[]> {
  const referenced = referencedDigests(tree);
  const missing = [...(await store.touch(referenced))];
  for (let from = 0; from < missing.length; from += CONTENTS_AT_ONCE) {
    const contents = await readContents(database, missing.slice(from, from + CONTENTS_AT_ONCE));
    await store.putChunks(new Map(contents.map(({ digest, bytes }) => [digest, bytes])));
  }
  return referenced;
}
