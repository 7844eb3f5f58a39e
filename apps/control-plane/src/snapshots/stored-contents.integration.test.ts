import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { verifyBytes } from '@portcullis/secrets';
import { createSnapshotStore, followSnapshots } from '@portcullis/snapshot';
import { freshDatabase, freshRedis, type FreshDatabase } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { commitSnapshot } from './commit-snapshot.js';
import { SnapshotPublisher } from './snapshot-publisher.js';
import { pruneSnapshots, readContent, referencedDigests } from './stored-contents.js';

let own: FreshDatabase;
let database: PrismaClient;

beforeEach(async () => {
  own = await freshDatabase();
  database = openDatabase(own.url, 6);
});
afterEach(async () => {
  await database.$disconnect();
  await own.drop();
});

async function changeAgent(slug: string): Promise<number> {
  return database.$transaction(async (tx) => {
    const { id } = await tx.agent.upsert({ where: { id: agentId }, create: { id: agentId, slug, name: 'x' }, update: { slug } });
    const { revision } = await tx.policyState.update({ where: { id: 1 }, data: { revision: { increment: 1 } } });
    await tx.dirtyBucket.create({ data: { revision, kind: 'agents', bucket: bucketOf(id) } });
    return revision;
  });
}
const agentId = '0199aaaa-0000-7000-8000-00000000abcd';

test('contents are kept a day past their last use, and what is in use for ever', async () => {
  await changeAgent('one');
  const old = await commitSnapshot(database);
  await changeAgent('two');
  const current = await commitSnapshot(database);
  const referenced = referencedDigests(current);
  await pruneSnapshots(database, referenced, current.revision);
  expect(await readContent(database, old.rootDigest)).toBeDefined();
  expect(await database.dirtyBucket.count()).toBe(0);
  await database.snapshotChunk.updateMany({ data: { lastReferenced: new Date(Date.now() - 90_000_000) } });
  await pruneSnapshots(database, referenced, current.revision);
  expect(await readContent(database, old.rootDigest)).toBeUndefined();
  expect((await database.snapshotChunk.findMany()).map(({ digest }) => digest).toSorted()).toEqual(referenced.toSorted());
});

test('a node that follows serves what was published, revision by revision', async () => {
  const service = await freshRedis();
  const [redis, subscriber] = [new Redis(service.url), new Redis(service.url)];
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-follow-'));
  const keys = await KeyRing.open(database, randomBytes(32));
  const report = { published: () => undefined, failed: () => undefined, held: () => undefined };
  const publisher = new SnapshotPublisher({ database, keys, store: createSnapshotStore(redis), report, heartbeatMs: 50 });
  publisher.start();
  const follower = followSnapshots({
    redis,
    subscriber,
    controlPlane: undefined,
    verify: (keyId, body, signature) => {
      const key = keys.nodeKeys().signing.find((candidate) => candidate.keyId === keyId);
      return key && verifyBytes(key.publicKey, body, signature);
    },
    directory,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onApplied: () => undefined,
    onRefused: () => undefined,
  });
  try {
    for (const slug of ['one', 'two', 'three']) {
      publisher.nudge(await changeAgent(slug));
      await vi.waitFor(() => expect(follower.current()?.agents.get(agentId)?.slug).toBe(slug), 20_000);
    }
    expect(follower.status().refused).toBeNull();
  } finally {
    await follower.close();
    await publisher.stop();
    redis.disconnect();
    subscriber.disconnect();
    await service.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
