import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, type Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBatchQueue, decodeBatch, encodeBatch, encodeFrame, openAuditTrail, type AuditSigner, type AuditTrail } from '@portcullis/audit';
import { createLogger, createMetrics } from '@portcullis/boot';
import { AUDIT_BATCH_VERSION, AUDIT_QUEUE, type AuditBatch, type NewAuditEvent } from '@portcullis/contracts/audit';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import type { LocalService } from '@portcullis/local-services';
import { auditKeysText, auditSealingKey, createSealer, newSigningKey, signBytes } from '@portcullis/secrets';
import { freshDatabase, freshRedis } from '@portcullis/testing';
import { AuditSecrets } from './audit-secrets.js';
import { BatchAuthority } from './batch-authority.js';
import { createIntake, type Intake } from './intake.js';
import { startWorker } from './start-worker.js';
import { BatchStore } from './store-batch.js';
import { takeHandedOver } from './take-handed-over.js';
import { newNodeSecret } from './testing/new-node-secret.js';

const auditKey = auditSealingKey(randomBytes(32));
const patiently = { timeout: 60_000, interval: 50 };

const SOME_EVENT: Omit<NewAuditEvent, 'phase' | 'callId' | 'at'> = {
  method: 'tools/call',
  agentId: null,
  agent: 'code-review-agent',
  keyId: null,
  operator: null,
  serverId: null,
  server: 'github',
  tool: 'create_issue',
  definitionHash: null,
  decision: 'allow',
  reason: null,
  grantId: null,
  epoch: 1,
  revision: 3,
  status: 'success',
  durationUs: 10,
  upstreamUs: 5,
  era: 'modern',
  traceId: null,
  argumentsHash: null,
  argumentsBytes: null,
  arguments: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
  truncated: false,
};
const event = (phase: NewAuditEvent['phase'], over: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  ...SOME_EVENT,
  callId: uuidv7(),
  phase,
  at: Date.now(),
  ...over,
});

let database: { url: string; drop(): Promise<void> };
let prisma: PrismaClient;
let redis: LocalService;
let directory: string;
let signer: AuditSigner | undefined;
const cleanUp: (() => unknown)[] = [];

beforeEach(async () => {
  database = await freshDatabase();
  prisma = openDatabase(database.url);
  redis = await freshRedis();
  directory = mkdtempSync(join(tmpdir(), 'portcullis-spool-'));
  signer = await enrolledSigner('node-1');
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
  await prisma.$disconnect();
  await redis.stop();
  await database.drop();
  rmSync(directory, { recursive: true });
});

/** A node that has registered a key, and what it signs with. */
async function enrolledSigner(node: string): Promise<AuditSigner> {
  const { keyId, publicKey, privateKey } = newSigningKey();
  const { batchKey } = await newNodeSecret(prisma, { node, keyId, publicKey, createdAt: new Date(0) }, createSealer({ current: auditKey }));
  return { keyId, batchKey, sign: (bytes) => signBytes(privateKey, bytes) };
}

function connect(url = redis.url): Redis {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => undefined);
  cleanUp.push(() => connection.disconnect());
  return connection;
}
const toNobody = (): Promise<void> => Promise.reject(new Error('not here'));
/** What the control plane does with a batch that a node brings. */
async function keep(batch: AuditBatch): Promise<void> {
  const { node, boot, firstSeq, lastSeq } = batch;
  await prisma.auditHandover.create({ data: { node, boot, firstSeq, lastSeq, batch: Buffer.from(JSON.stringify(batch)) } });
}
function openTrail(handOver: (batch: AuditBatch) => Promise<void> = toNobody): AuditTrail {
  const trail = openAuditTrail({
    node: 'node-1',
    directory,
    queue: createBatchQueue(connect()),
    handOver,
    release: () => 'queue',
    onTrouble: () => undefined,
    signer: () => signer,
  });
  cleanUp.push(() => trail.close(0).catch(() => undefined));
  return trail;
}
const quiet = () => ({ logger: createLogger({ name: 'test', level: 'fatal' }), metrics: createMetrics({ app: 'test' }) });
function newIntake(parts = quiet()): Intake {
  return createIntake({
    ...parts,
    store: new BatchStore(prisma, Date.now),
    authority: new BatchAuthority(prisma, new AuditSecrets({ keys: auditKeysText([auditKey]), file: undefined })),
  });
}
function runWorker(): Worker {
  const parts = quiet();
  const intake = newIntake(parts);
  const worker = startWorker({ ...parts, redis: connect(), intake, concurrency: 8 });
  cleanUp.push(() => worker.close(true));
  return worker;
}
const rows = () => prisma.auditEvent.findMany({ orderBy: { seq: 'asc' } });
const storedSeqs = async () => (await rows()).map(({ boot, seq }) => `${boot}:${seq}`);
/** What a node learns from the control plane: how far its events are in Postgres. */
async function acknowledged(): Promise<{ boot: string; contiguousSeq: number }[]> {
  const ranges = await prisma.auditRange.findMany({ orderBy: { firstSeq: 'asc' } });
  const through = new Map<string, number>();
  for (const { boot, firstSeq, lastSeq } of ranges) {
    const seq = through.get(boot) ?? 0;
    if (Number(firstSeq) <= seq + 1) through.set(boot, Math.max(seq, Number(lastSeq)));
  }
  return [...through].map(([boot, contiguousSeq]) => ({ boot, contiguousSeq }));
}

test('every recorded event is in Postgres once, intents and outcomes alike', async () => {
  const trail = openTrail();
  runWorker();
  const calls = Array.from({ length: 300 }, async () => {
    const callId = uuidv7();
    await trail.recordIntent(event('intent', { callId, status: 'pending' }));
    await trail.recordOutcome(event('outcome', { callId }));
  });
  await Promise.all(calls);
  await vi.waitFor(async () => expect((await rows()).map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 600 }, (_, i) => i + 1)), patiently);
  await vi.waitFor(async () => expect(await acknowledged()).toEqual([{ boot: trail.boot, contiguousSeq: 600 }]), patiently);
  trail.acknowledge(await acknowledged());
  expect(trail.backlog).toBe(0);
});

test('text no database takes, and bytes of any kind, are stored beside their batch', async () => {
  const trail = openTrail();
  runWorker();
  const foreign = Buffer.from([0, 255, 254, 128, 0]);
  await trail.recordOutcome(event('single', { tool: 'nul\u0000 and \ud800 lone', arguments: foreign.toString('base64') }));
  const shadowGrantId = uuidv7();
  await trail.recordOutcome(event('single', { shadowDecision: 'deny', shadowGrantId, task: 'ticket-4711', onBehalfOf: 'user-17' }));
  await vi.waitFor(async () => expect(await rows()).toHaveLength(2), patiently);
  const [odd, shadowed] = await rows();
  expect(shadowed).toMatchObject({ shadowDecision: 'deny', shadowGrantId, task: 'ticket-4711', onBehalfOf: 'user-17' });
  expect(odd?.tool).toBe('nul\u2400 and \ufffd lone');
  expect(Buffer.from(odd?.arguments ?? [])).toEqual(foreign);
});

test('an event that Postgres refuses leaves a stub and its bytes, and costs no other event of the batch', async () => {
  const trail = openTrail();
  // A date that Postgres' timestamp cannot hold, in the middle of good events.
  const good = [1, 2, 3].map(() => trail.recordOutcome(event('single')));
  const bad = trail.recordOutcome(event('single', { at: 8.64e15 * 40 }));
  await Promise.all([...good, bad, trail.recordOutcome(event('single'))]);
  runWorker();
  await vi.waitFor(async () => expect(await rows()).toHaveLength(5), patiently);
  expect((await rows()).map(({ reason }) => reason)).toEqual([null, null, null, 'audit.quarantined', null]);
  expect(await prisma.auditQuarantine.count()).toBe(1);
});

test('a job that is no batch goes to quarantine and the queue moves on', async () => {
  const trail = openTrail();
  const queue = createBatchQueue(connect());
  await queue.add({ v: 1, node: 'x', boot: 'not-a-uuid', firstSeq: 1, lastSeq: 1, frames: '' }, 'forged-job');
  await trail.recordOutcome(event('single'));
  runWorker();
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1), patiently);
  expect(await prisma.auditQuarantine.count()).toBe(1);
});

test('F52: batches that somebody puts into Redis in the name of a node go to quarantine, are counted, and store nothing', async () => {
  const trail = openTrail();
  const queue = createBatchQueue(connect());
  const { frames, ...real } = encodeBatch('node-1', trail.boot, { firstSeq: 1, frames: [encodeFrame(1, '["forged"]')], hashes: '' });
  const thief = await enrolledSigner('node-2');
  const tagged = { keyId: thief.keyId, tag: 'x'.repeat(43) };
  for (const [place, forged] of [
    { ...real, frames },
    { ...real, frames, proof: tagged },
    { ...real, frames, proof: { ...tagged, keyId: 'made-up' } },
  ].entries())
    await queue.add(forged, `forged-${place}`);
  await trail.recordOutcome(event('single'));
  const parts = quiet();
  const worker = startWorker({ ...parts, redis: connect(), intake: newIntake(parts), concurrency: 8 });
  cleanUp.push(() => worker.close(true));
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1), patiently);
  await vi.waitFor(async () => expect(await prisma.auditQuarantine.count()).toBe(3), patiently);
  expect(await rows()).toMatchObject([{ node: 'node-1', agent: 'code-review-agent' }]);
  expect(await parts.metrics.render()).toMatch(/audit_forged_total\S* 3/);
  expect(await prisma.auditRange.count()).toBe(1);
});

test('jobs put there under every name that a coming one might have keep nothing out of the trail', async () => {
  const trail = openTrail();
  const queue = new Queue(AUDIT_QUEUE, { connection: connect() });
  await trail.recordOutcome(event('single'));
  const [seen] = await queue.getJobs();
  // What an attacker makes of one name: the next numbers, asleep for a year, so that nobody looks at them and they count as waiting.
  const guess = (first: number, attempt: number): string => `node-1-${trail.boot}-${String(first)}-${String(first)}-${String(attempt)}`;
  const guesses = [2, 3, 4].flatMap((first) => [1, 2, 3, 4, 5].map((attempt) => guess(first, attempt)));
  const alike = [2, 3, 4].map((first) => (seen?.id ?? '').replace(`${trail.boot}-1-1`, `${trail.boot}-${String(first)}-${String(first)}`));
  for (const jobId of [...guesses, ...alike]) await queue.add('batch', {}, { jobId, delay: 31_536_000_000 });
  for (let i = 0; i < 3; i += 1) await trail.recordOutcome(event('single'));
  runWorker();
  await vi.waitFor(async () => expect(await storedSeqs()).toEqual([1, 2, 3, 4].map((seq) => `${trail.boot}:${String(seq)}`)), patiently);
  await queue.close();
});

test('a batch of a newer version waits for a newer worker, and the queue moves on', async () => {
  const trail = openTrail();
  const queue = createBatchQueue(connect());
  const newer = { v: AUDIT_BATCH_VERSION + 1, node: 'x', boot: trail.boot, events: ['in a way nobody knows yet'] };
  await new Queue(AUDIT_QUEUE, { connection: connect() }).add('batch', newer, { jobId: 'newer-job', attempts: 1_000_000, backoff: 1000 });
  await trail.recordOutcome(event('single'));
  runWorker();
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1), patiently);
  await vi.waitFor(
    async () => expect(await connect().hget(`bull:${AUDIT_QUEUE}:newer-job`, 'failedReason')).toContain('newer audit worker'),
    patiently,
  );
  expect(await queue.has('newer-job')).toBe(true);
  expect(await prisma.auditQuarantine.count()).toBe(0);
});

test('a batch that cannot be stored again and again takes no more room in Redis for that', async () => {
  const newer = { v: AUDIT_BATCH_VERSION + 1, node: 'x', boot: uuidv7(), firstSeq: 1, lastSeq: 1, frames: '' };
  await createBatchQueue(connect()).add(newer as unknown as AuditBatch, 'newer-job');
  runWorker();
  const job = async (field: string): Promise<string> => (await connect().hget(`bull:${AUDIT_QUEUE}:newer-job`, field)) ?? '';
  await vi.waitFor(async () => expect(Number(await job('atm'))).toBeGreaterThan(2), patiently);
  expect(JSON.parse(await job('stacktrace'))).toHaveLength(1);
});

test('while Redis is frozen outcomes are released by the disk, and reach Postgres once when it is back', async () => {
  const trail = openTrail();
  runWorker();
  await trail.recordOutcome(event('single'));
  process.kill(redis.pid, 'SIGSTOP');
  for (let i = 0; i < 5; i += 1) await trail.recordOutcome(event('single'));
  process.kill(redis.pid, 'SIGCONT');
  await vi.waitFor(async () => expect(await storedSeqs()).toEqual([1, 2, 3, 4, 5, 6].map((seq) => `${trail.boot}:${seq}`)), patiently);
});

test('with Redis gone a node hands its events over, and the queue that comes back with some of them doubles none', async () => {
  const trail = openTrail(keep);
  await trail.recordOutcome(event('single'));
  await redis.stop();
  for (let i = 0; i < 5; i += 1) await trail.recordOutcome(event('single'));
  await vi.waitFor(async () => expect(await prisma.auditHandover.count()).toBeGreaterThan(0), patiently);
  const handedOver = takeHandedOver(prisma, newIntake(), quiet().logger);
  cleanUp.push(() => handedOver.close());
  await vi.waitFor(
    async () => expect(await storedSeqs()).toEqual(expect.arrayContaining([2, 3, 4, 5, 6].map((seq) => `${trail.boot}:${seq}`))),
    patiently,
  );
  await vi.waitFor(async () => expect(await prisma.auditHandover.count()).toBe(0), patiently);
  const twice = (await prisma.auditEvent.groupBy({ by: ['boot', 'seq'], _count: true })).filter(({ _count }) => _count > 1);
  expect(twice).toEqual([]);
});

test('what was handed over and is no batch, or only a newer worker reads, costs no other', async () => {
  const trail = openTrail();
  const place = { v: AUDIT_BATCH_VERSION, node: 'node-1', boot: trail.boot, firstSeq: 1, lastSeq: 1, frames: '' };
  await keep(place as AuditBatch);
  await keep({ ...place, lastSeq: 2, v: AUDIT_BATCH_VERSION + 1 } as unknown as AuditBatch);
  await keep(oneEvent(trail.boot, 3));
  const handedOver = takeHandedOver(prisma, newIntake(), quiet().logger);
  cleanUp.push(() => handedOver.close());
  await vi.waitFor(async () => expect(await storedSeqs()).toEqual([`${trail.boot}:3`]), patiently);
  await vi.waitFor(async () => expect((await prisma.auditHandover.findMany()).map(({ lastSeq }) => Number(lastSeq))).toEqual([2]), patiently);
});

/** A batch of one event, as its node would have handed it over. */
function oneEvent(boot: string, seq: number, over: Partial<NewAuditEvent> = {}): AuditBatch {
  const frame = encodeFrame(seq, JSON.stringify({ ...event('single', over), id: uuidv7(), seq }));
  const unsigned = encodeBatch('node-1', boot, { firstSeq: seq, frames: [frame], hashes: '' });
  const hashes = decodeBatch(unsigned)
    .frames.map(({ hash }) => hash)
    .join('');
  return encodeBatch('node-1', boot, { firstSeq: seq, frames: [frame], hashes }, signer);
}

test('however many batches cannot be stored, those behind them are', async () => {
  const boot = uuidv7();
  const newer = { v: AUDIT_BATCH_VERSION + 1, node: 'node-1', boot: uuidv7(), frames: '' };
  for (let seq = 1; seq <= 20; seq += 1) await keep({ ...newer, firstSeq: seq, lastSeq: seq } as unknown as AuditBatch);
  await keep(oneEvent(boot, 1));
  const handedOver = takeHandedOver(prisma, newIntake(), quiet().logger);
  cleanUp.push(() => handedOver.close());
  await vi.waitFor(async () => expect(await storedSeqs()).toEqual([`${boot}:1`]), patiently);
  await vi.waitFor(async () => expect(await prisma.auditHandover.count()).toBe(20), patiently);
});

test.each(['ffffffff-ffff-7fff-bfff-ffffffffffff', '00000000-0000-7000-8000-000000000000', '0b5a5a5a-0000-7000-8000-000000000000'])(
  'an event of a time that no clock shows (%s) has no day made, leaves a stub and its bytes, and costs no other event',
  async (callId) => {
    const intake = newIntake();
    const boots = [uuidv7(), callId];
    for (const boot of boots) {
      await intake(oneEvent(boot, 1, { callId }), 'test');
      await intake(oneEvent(boot, 1, { callId }), 'again');
      await intake(oneEvent(boot, 2), 'test');
    }
    const stored = await rows();
    expect(stored.map(({ boot, seq, reason }) => `${boot} ${seq} ${reason}`).toSorted()).toEqual(
      boots.flatMap((boot) => [`${boot} 1 audit.quarantined`, `${boot} 2 null`]).toSorted(),
    );
    expect(await prisma.auditQuarantine.count()).toBe(2);
    const days = await prisma.$queryRaw<{ day: string }[]>`SELECT relname AS day FROM pg_class WHERE relname ~ '^day_[0-9]+$' AND relkind = 'r'`;
    expect(days.map(({ day }) => day).filter((day) => day !== 'day_20200101')).toHaveLength(1);
  },
);

test('what a queue lost is sent again by the next boot, and the spool is deleted once Postgres has it', async () => {
  const first = openTrail();
  await Promise.all(Array.from({ length: 200 }, () => first.recordOutcome(event('single'))));
  await connect().flushall();
  await first.close();
  const second = openTrail();
  runWorker();
  await vi.waitFor(async () => expect(await rows()).toHaveLength(200), patiently);
  await vi.waitFor(async () => expect(await acknowledged()).toContainEqual({ boot: first.boot, contiguousSeq: 200 }), patiently);
  expect(second.held()).toContainEqual({ boot: first.boot, lastSeq: 200 });
  second.acknowledge(await acknowledged());
  // It is not linked to its end yet, which only its own node can do.
  expect(second.held()).toContainEqual({ boot: first.boot, lastSeq: 200 });
  const links = second.links();
  expect(links).toMatchObject([{ boot: first.boot, firstSeq: 1, lastSeq: 200 }]);
  second.confirmLinks(links);
  second.acknowledge(await acknowledged());
  expect(second.held()).toEqual([{ boot: second.boot, lastSeq: 0 }]);
  expect(readdirSync(directory)).not.toContain(first.boot);
});

test('a torn frame at the end of a spool is dropped, and nothing before it', async () => {
  const first = openTrail();
  for (let i = 0; i < 3; i += 1) await first.recordOutcome(event('single'));
  await first.close();
  await connect().flushall();
  const [segment = ''] = readdirSync(join(directory, first.boot));
  const path = join(directory, first.boot, segment);
  writeFileSync(path, readFileSync(path).subarray(0, -7));
  const second = openTrail();
  runWorker();
  expect(second.held()).toContainEqual({ boot: first.boot, lastSeq: 2 });
  await vi.waitFor(async () => expect(await storedSeqs()).toEqual([`${first.boot}:1`, `${first.boot}:2`]), patiently);
});

test('a second process on the same spool is refused', () => {
  openTrail();
  writeFileSync(join(directory, 'lock'), readFileSync(join(directory, 'lock'), 'utf8').replace(/^\d+/, String(process.ppid)));
  rmSync(join(directory, 'lock'));
  const parentStart = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
  const startTime = parentStart.slice(parentStart.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(join(directory, 'lock'), `${process.ppid} ${startTime}`);
  expect(() => openTrail()).toThrow(/in use by process/);
});
