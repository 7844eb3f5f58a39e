import { randomBytes } from 'node:crypto';
import { bucketOf, SnapshotHead, snapshotKeys, SnapshotRoot, type ChunkKind, type SignedHead } from '@portcullis/contracts/snapshot';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { verifyBytes } from '@portcullis/secrets';
import { createSnapshotStore, openHead, signHead } from '@portcullis/snapshot';
import { freshDatabase, freshRedis, type FreshDatabase } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { PolicyChanges } from '../changes/policy-changes.js';
import { PolicyNews } from '../changes/policy-news.js';
import { SelfWideningGuard } from '../changes/self-widening-guard.js';
import { KeyRing } from '../keys/key-ring.js';
import { EpochsService } from '../epochs/epochs.service.js';
import { commitSnapshot } from './commit-snapshot.js';
import { COMPILE_VERSION } from './compile-entries.js';
import { SnapshotPublisher, type PublisherReport } from './snapshot-publisher.js';

let service: Awaited<ReturnType<typeof freshRedis>>;
let own: FreshDatabase;
let database: PrismaClient;
let redis: Redis;
let keys: KeyRing;
let changes: PolicyChanges;
let publishers: SnapshotPublisher[];
const failures: unknown[] = [];
const holds: string[] = [];
const report: PublisherReport = { published: () => undefined, failed: (_stage, error) => failures.push(error), held: (reason) => holds.push(reason) };
const author = { name: 'test' };

beforeAll(async () => {
  service = await freshRedis();
});
afterAll(async () => service.stop());

beforeEach(async () => {
  own = await freshDatabase();
  database = openDatabase(own.url, 8);
  redis = new Redis(service.url);
  await redis.flushall();
  keys = await KeyRing.open(database, randomBytes(32));
  changes = new PolicyChanges(database, new PolicyNews(), new SelfWideningGuard(database));
  publishers = [];
  failures.length = holds.length = 0;
});

afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  redis.disconnect();
  await database.$disconnect();
  await own.drop();
});

function newPublisher(heartbeatMs = 50): SnapshotPublisher {
  const publisher = new SnapshotPublisher({ database, keys, store: createSnapshotStore(redis), report, heartbeatMs });
  publishers.push(publisher);
  return publisher;
}

function opened(signed: SignedHead): SnapshotHead {
  return openHead(signed, (keyId, body, signature) => {
    const key = keys.nodeKeys().signing.find((candidate) => candidate.keyId === keyId);
    return key && verifyBytes(key.publicKey, body, signature);
  });
}

async function headInRedis(): Promise<SnapshotHead> {
  const text = await redis.get(snapshotKeys.head);
  if (text === null) throw new Error('Redis has no head');
  return opened(JSON.parse(text) as SignedHead);
}

function fail(): never {
  throw new Error('Nothing was published');
}

const contents = async (): Promise<Map<string, string>> =>
  new Map((await database.snapshotChunk.findMany()).map(({ digest, bytes }) => [digest, Buffer.from(bytes).toString()]));

const touched = (kind: ChunkKind, id: string) => [{ kind, bucket: bucketOf(id) }];

async function addAgent(slug: string): Promise<string> {
  const { result } = await changes.apply(author, 'agent.created', undefined, async (tx) => {
    const { id } = await tx.agent.create({ data: { slug, name: slug } });
    return { result: id, subject: { kind: 'agent', id, slug }, change: {}, dirty: touched('agents', id) };
  });
  return result;
}

async function renameAgent(id: string, slug: string): Promise<number> {
  const { revision } = await changes.apply(author, 'agent.updated', undefined, async (tx) => {
    await tx.agent.update({ where: { id }, data: { slug } });
    return { result: undefined, subject: { kind: 'agent', id, slug }, change: {}, dirty: touched('agents', id) };
  });
  return revision;
}

async function addServer(slug: string): Promise<string> {
  const { result } = await changes.apply(author, 'server.created', undefined, async (tx) => {
    const bytes = Buffer.from('{"name":"b","inputSchema":{"type":"object"}}');
    const approved = { state: 'approved' as const, json: bytes, hash: 'a'.repeat(64), approvedJson: bytes, approvedHash: 'a'.repeat(64) };
    const { id } = await tx.server.create({
      data: {
        slug,
        name: slug,
        url: 'https://x.example/mcp',
        era: 'legacy',
        definitions: {
          create: [
            { kind: 'tool', name: 'b', ...approved },
            { kind: 'tool', name: 'a', ...approved },
            { kind: 'tool', name: 'changed', ...approved, state: 'changed', hash: 'b'.repeat(64) },
            { kind: 'tool', name: 'waiting', state: 'pending', json: bytes, hash: 'a'.repeat(64) },
          ],
        },
      },
    });
    return { result: id, subject: { kind: 'server', id, slug }, change: {}, dirty: touched('servers', id) };
  });
  return result;
}

test('revision 0, empty, is published at the first start', async () => {
  await newPublisher().publishOnce();
  expect(await headInRedis()).toMatchObject({ epoch: 1, revision: 0 });
});

test('the same rows compiled twice give the same bytes', async () => {
  await addServer('github');
  await addAgent('one');
  await addAgent('two');
  const first = await commitSnapshot(database);
  const before = await contents();
  await database.snapshotChunk.deleteMany();
  await database.snapshotBucket.deleteMany();
  await database.publishedSnapshot.deleteMany();
  const second = await commitSnapshot(database);
  expect(second.rootDigest).toBe(first.rootDigest);
  expect(await contents()).toEqual(before);
});

test('a change compiled alone gives the bytes of compiling everything', async () => {
  const id = await addAgent('before');
  await addServer('github');
  await commitSnapshot(database);
  await renameAgent(id, 'after');
  await addServer('slack');
  const alone = await commitSnapshot(database);
  await database.publishedSnapshot.deleteMany();
  expect((await commitSnapshot(database)).rootDigest).toBe(alone.rootDigest);
});

test('changing one agent changes exactly its chunk, its index, the root and the head', async () => {
  const id = await addAgent('before');
  for (let more = 0; more < 20; more += 1) await addAgent(`more-${more}`);
  const publisher = newPublisher();
  await publisher.publishOnce();
  const before = await contents();
  const headBefore = await headInRedis();
  const revision = await renameAgent(id, 'after');
  await publisher.publishOnce();
  const added = [...(await contents())].filter(([digest]) => !before.has(digest)).map(([, text]) => JSON.parse(text) as Record<string, unknown>);
  expect(added.map((content) => ('items' in content ? 'chunk' : 'chunks' in content ? 'index' : 'root')).toSorted()).toEqual([
    'chunk',
    'index',
    'root',
  ]);
  const headAfter = await headInRedis();
  expect(headAfter.revision).toBe(revision);
  expect(headAfter.rootDigest).not.toBe(headBefore.rootDigest);
  expect((await database.revision.findUniqueOrThrow({ where: { revision } })).publishedAt).not.toBeNull();
});

test('a head carries what its revision changed of agents, so that nodes need not read it; of servers it carries nothing', async () => {
  const id = await addAgent('before');
  const [neighbour, gone] = [await addAgent('neighbour'), await addAgent('gone')];
  const publisher = newPublisher();
  await publisher.publishOnce();
  const { revision: after } = await headInRedis();
  await renameAgent(id, 'after');
  await publisher.publishOnce();
  expect((await headInRedis()).changes).toMatchObject({
    after,
    buckets: [{ kind: 'agents', bucket: bucketOf(id), put: [{ id, slug: 'after' }], gone: [] }],
  });
  await publisher.publishOnce();
  expect((await headInRedis()).changes).toBeUndefined(); // said once, by the head of the change

  const { revision } = await changes.apply(author, 'agent.deleted', undefined, async (tx) => {
    await tx.agent.delete({ where: { id: gone } });
    return { result: undefined, subject: { kind: 'agent', id: gone, slug: 'gone' }, change: {}, dirty: touched('agents', gone) };
  });
  await newPublisher().publishOnce(); // another process, which published nothing before
  expect(await headInRedis()).toMatchObject({
    revision,
    changes: { after: after + 1, buckets: [{ bucket: bucketOf(gone), put: [], gone: [gone] }] },
  });

  await addServer('github');
  await renameAgent(neighbour, 'with-a-server');
  await publisher.publishOnce();
  expect((await headInRedis()).changes).toBeUndefined();
});

test('only approved definitions are in a snapshot, and the names of those that changed since', async () => {
  const id = await addServer('github');
  await commitSnapshot(database);
  const chunk = [...(await contents()).values()].find((text) => text.includes(id)) ?? '';
  const { items } = JSON.parse(chunk) as { items: { definitions: { name: string }[]; withheld: unknown }[] };
  expect(items[0]?.definitions.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(items[0]?.withheld).toEqual([{ kind: 'tool', name: 'changed' }]);
});

test('a server too large to distribute offers nothing and stops nobody else', async () => {
  const id = await addServer('huge');
  const json = Buffer.from(JSON.stringify({ name: 'x', description: 'd'.repeat(60_000) }));
  const big = { kind: 'tool', state: 'approved', json, hash: 'c'.repeat(64), approvedJson: json, approvedHash: 'c'.repeat(64) } as const;
  await database.definition.createMany({ data: Array.from({ length: 100 }, (_, at) => ({ serverId: id, name: `big-${at}`, ...big })) });
  const snapshot = await commitSnapshot(database);
  expect(snapshot.silenced).toEqual(['huge']);
});

test('publishers at once publish every change and never go back', async () => {
  const id = await addAgent('agent');
  const seen: SnapshotHead[] = [];
  const listener = new Redis(service.url);
  await listener.subscribe(snapshotKeys.channel);
  listener.on('message', (_channel, text: string) => seen.push(opened(JSON.parse(text) as SignedHead)));
  for (let count = 0; count < 3; count += 1) newPublisher(5).start();
  let revision = 0;
  for (let change = 0; change < 30; change += 1) {
    revision = await renameAgent(id, `agent-${change}`);
    publishers[change % 3]?.nudge(revision);
  }
  await vi.waitFor(() => expect(seen.at(-1)?.revision).toBe(revision), 20_000);
  listener.disconnect();
  const order = seen.map((head) => head.revision);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  const issued = seen.map((head) => head.issuedAt);
  expect(issued).toEqual(issued.toSorted((a, b) => a - b));
  expect(failures).toEqual([]);
});

test('publishers that lost the lock end with one snapshot of a revision', async () => {
  const id = await addAgent('agent');
  await commitSnapshot(database);
  for (let round = 0; round < 5; round += 1) {
    const revision = await renameAgent(id, `agent-${round}`);
    const both = await Promise.allSettled([commitSnapshot(database), commitSnapshot(database)]);
    const done = both.filter((one) => one.status === 'fulfilled').map(({ value }) => `${value.revision} ${value.rootDigest}`);
    const published = await database.publishedSnapshot.findUniqueOrThrow({ where: { id: 1 } });
    expect(new Set(done)).toEqual(new Set([`${revision} ${published.rootDigest}`]));
  }
});

test('what was committed and never reached Redis is published by whoever comes next', async () => {
  await newPublisher().publishOnce();
  const id = await addAgent('agent');
  const committed = await commitSnapshot(database); // and here the process died
  expect((await headInRedis()).revision).toBe(0);
  await newPublisher().publishOnce();
  expect(await headInRedis()).toMatchObject({ revision: committed.revision, rootDigest: committed.rootDigest });
  const chunk = [...(await contents())].find(([, text]) => text.includes(id))?.[0] ?? '';
  expect(await redis.exists(snapshotKeys.chunk(chunk))).toBe(1);
});

test('a flushed Redis has everything again after a heartbeat', async () => {
  await addAgent('agent');
  await addServer('github');
  newPublisher().start();
  await vi.waitFor(async () => expect((await headInRedis()).revision).toBe(2), 20_000);
  const root = SnapshotRoot.parse(JSON.parse((await contents()).get((await headInRedis()).rootDigest) ?? ''));
  await redis.flushall();
  await vi.waitFor(async () => {
    await headInRedis();
    for (const digest of (await contents()).keys()) expect(await redis.exists(snapshotKeys.chunk(digest))).toBe(1);
  }, 20_000);
  expect(root.revision).toBe(2);
});

test('a heartbeat makes policy younger, and a publisher without Postgres signs nothing', async () => {
  const publisher = newPublisher();
  publisher.start();
  await vi.waitFor(async () => expect((await headInRedis()).revision).toBe(0), 20_000);
  const first = (await headInRedis()).issuedAt;
  await vi.waitFor(async () => expect((await headInRedis()).issuedAt).toBeGreaterThan(first), 20_000);
  await own.drop();
  await vi.waitFor(() => expect(failures.length).toBeGreaterThan(1), 20_000);
  const last = (await headInRedis()).issuedAt;
  const failed = failures.length;
  await vi.waitFor(() => expect(failures.length).toBeGreaterThan(failed + 1), 20_000);
  expect((await headInRedis()).issuedAt).toBe(last);
});

test('what an older release compiled is compiled again, under the same revision', async () => {
  await addServer('github');
  await newPublisher().publishOnce();
  const before = await headInRedis();
  await database.publishedSnapshot.update({ where: { id: 1 }, data: { compileVersion: COMPILE_VERSION - 1 } });
  await database.snapshotBucket.deleteMany();
  await newPublisher().publishOnce();
  expect(await database.snapshotBucket.count()).toBe(1);
  expect(await database.publishedSnapshot.findFirst()).toMatchObject({ compileVersion: COMPILE_VERSION });
  expect(await headInRedis()).toMatchObject({ revision: before.revision, rootDigest: before.rootDigest });
});

test('what a newer release compiled is left to it', async () => {
  await newPublisher().publishOnce();
  await database.publishedSnapshot.update({ where: { id: 1 }, data: { compileVersion: COMPILE_VERSION + 1 } });
  const before = await headInRedis();
  await addAgent('of-a-newer-kind');
  await expect(newPublisher().publishOnce()).rejects.toMatchObject({ reason: 'newer_release' });
  expect(await headInRedis()).toEqual(before);
});

test('a database that was restored publishes nothing and changes nothing until a new epoch begins', async () => {
  const id = await addAgent('before');
  const backup = await database.policyState.findFirstOrThrow();
  const publisher = newPublisher();
  await publisher.publishOnce();
  await renameAgent(id, 'lost');
  await publisher.publishOnce();
  const followed = await headInRedis();

  await database.policyState.update({ where: { id: 1 }, data: { revision: backup.revision } });
  await database.revision.deleteMany({ where: { revision: { gt: backup.revision } } });
  await expect(newPublisher().publishOnce()).rejects.toMatchObject({ reason: 'restored' });
  await redis.flushall(); // it was noted: what showed it may go
  await expect(publisher.publishOnce()).rejects.toMatchObject({ reason: 'restored' });
  expect(publisher.heldBecause()).toBe('restored');
  await expect(renameAgent(id, 'a new line of revisions')).rejects.toMatchObject({ key: 'conflict' });
  await expect(newPublisher().publishOnce()).rejects.toMatchObject({ reason: 'restored' });
  expect(await redis.get(snapshotKeys.head)).toBeNull();

  const begun = await new EpochsService(database, changes).create(author, { reason: 'restored' });
  expect(begun.result).toEqual({ epoch: followed.epoch + 1, revision: backup.revision + 1, ahead: null });
  await publisher.publishOnce();
  expect(await headInRedis()).toMatchObject({ epoch: followed.epoch + 1, revision: backup.revision + 1 });
});

test('with Redis lost too, a node that serves a newer policy shows that the database was restored; a stranger shows nothing', async () => {
  await addAgent('one');
  const publisher = newPublisher();
  await publisher.publishOnce();
  const proof = publisher.head();
  await database.policyState.update({ where: { id: 1 }, data: { revision: 0 } });
  const claim = { ...opened(proof ?? fail()), epoch: 9 };
  const forged = signHead(claim, () => 'not a signature');
  await redis.flushall();
  const started = newPublisher();
  await started.noteSeen(forged);
  await started.publishOnce();
  await started.noteSeen(proof ?? fail());
  await expect(started.publishOnce()).rejects.toMatchObject({ reason: 'restored' });
  expect(holds).toEqual([]);
});
