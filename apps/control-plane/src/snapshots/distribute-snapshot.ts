import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { PrismaClient } from '@portcullis/database';
import type { SnapshotStore } from '@portcullis/snapshot';
import type { CommittedSnapshot } from './commit-snapshot.js';
import { readContents, referencedDigests, upperDigests } from './stored-contents.js';

const CONTENTS_AT_ONCE = 200;

/**
 * Brings a committed snapshot to Redis: contents first, the head last. What Redis has lost since is put again, so that a flushed Redis heals
 * with the next head.
 */
export async function distributeSnapshot(database: PrismaClient, store: SnapshotStore, snapshot: CommittedSnapshot, head: SignedHead): Promise<void> {
  await store.putChunks(new Map(snapshot.added.map(({ digest, bytes }) => [digest, bytes])));
  const upper = upperDigests(snapshot.rootDigest, snapshot.root);
  const present = await store.present(upper);
  if (upper.some((digest) => !present.has(digest)))
    await restore(database, store, await referencedDigests(database, snapshot.rootDigest, snapshot.root));
  await store.publishHead(head);
}

/** Extends the life of everything the snapshot refers to, and puts again what is gone. Returns what it refers to. */
export async function refreshContents(database: PrismaClient, store: SnapshotStore, snapshot: CommittedSnapshot): Promise<Digest[]> {
  const referenced = await referencedDigests(database, snapshot.rootDigest, snapshot.root);
  await restore(database, store, [...(await store.touch(referenced))]);
  return referenced;
}

async function restore(database: PrismaClient, store: SnapshotStore, digests: readonly Digest[]): Promise<void> {
  for (let from = 0; from < digests.length; from += CONTENTS_AT_ONCE) {
    const contents = await readContents(database, digests.slice(from, from + CONTENTS_AT_ONCE));
    await store.putChunks(new Map(contents.map(({ digest, bytes }) => [digest, bytes])));
  }
}
