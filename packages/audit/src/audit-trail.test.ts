import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AuditEvent, type AuditBatch, type NewAuditEvent } from '@portcullis/contracts/audit';
import type { AuditTrail } from './audit-trail.js';
import type { BatchQueue, QueueState } from './batch-queue.js';
import { newEventId } from './new-event-id.js';
import { openAuditTrail } from './open-audit-trail.js';
import { Spool, SpoolFull } from './spool.js';

const never = <T>(): Promise<T> => new Promise(() => undefined);

const nothing = Object.fromEntries(Object.keys(AuditEvent.shape).map((member) => [member, null]));
const someEvent = (): NewAuditEvent => ({ ...nothing, callId: newEventId(), phase: 'outcome', at: 0, method: 'ping' }) as unknown as NewAuditEvent;

let directory: string;
let sent: AuditBatch[];
let handedOver: AuditBatch[];
let troubles: [string, string][];
let queue: BatchQueue;
let trail: AuditTrail;

beforeEach(() => {
  vi.useFakeTimers();
  directory = mkdtempSync(join(tmpdir(), 'portcullis-trail-'));
  sent = [];
  handedOver = [];
  troubles = [];
  queue = {
    add: (batch) => Promise.resolve(void sent.push(batch)),
    has: () => Promise.resolve(true),
    state: () => Promise.resolve({ pressed: false, evictsBy: null, identity: 'one' }),
    close: () => Promise.resolve(),
  };
  const handOver = (batch: AuditBatch): Promise<void> => Promise.resolve(void handedOver.push(batch));
  trail = openAuditTrail({
    node: 'node-1',
    directory,
    queue,
    handOver,
    release: () => 'spool',
    onTrouble: (what, error) => void troubles.push([what, String(error)]),
  });
});
afterEach(async () => {
  await trail.close(0);
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

test('a question to the queue that is never answered does not keep what it refused from being sent again', async () => {
  const answering = { ...queue };
  Object.assign(queue, { add: () => Promise.reject(new Error('gone')), state: () => never<QueueState>() });
  const recorded = trail.recordOutcome(someEvent());
  await vi.advanceTimersByTimeAsync(1500);
  await recorded;
  Object.assign(queue, answering);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([[1, 1]]);
});

const placesOf = (batches: readonly AuditBatch[]): (readonly number[])[] => batches.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq]);
const full = (): never => {
  throw new SpoolFull('no space left on device');
};
const gone = { add: () => Promise.reject(new Error('gone')), state: () => Promise.reject(new Error('gone')) };

test('what the queue does not take for ten seconds goes to the control plane, in few batches, and once', async () => {
  Object.assign(queue, gone);
  for (let i = 0; i < 5; i += 1) {
    void trail.recordOutcome(someEvent());
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(handedOver).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(placesOf(handedOver)).toEqual([[1, 5]]);
  trail.acknowledge([{ boot: trail.boot, contiguousSeq: 5 }]);
  expect(trail.backlog).toBe(0);
});

test('with a full spool the queue alone carries the trail, however long, and what it loses is still sent again', async () => {
  const spool = vi.spyOn(Spool.prototype, 'append').mockImplementation(full);
  for (let seq = 100; seq <= 6000; seq += 100) {
    const recorded = Array.from({ length: 100 }, () => trail.recordOutcome(someEvent()));
    await Promise.all([...recorded, vi.advanceTimersByTimeAsync(10)]);
  }
  expect(trail.unspooled).toBeLessThanOrEqual(4096);
  trail.acknowledge([{ boot: trail.boot, contiguousSeq: 5900 }]);
  expect(trail.unspooled).toBe(100);
  sent = [];
  Object.assign(queue, { has: () => Promise.resolve(false) });
  await vi.advanceTimersByTimeAsync(35_000);
  expect(placesOf(sent)).toEqual([[5901, 6000]]);
  spool.mockRestore();
  await vi.advanceTimersByTimeAsync(1000);
  expect(trail.unspooled).toBe(0);
});

test('with a full spool and no queue a record is refused at once, and taken again as soon as one of them takes it', async () => {
  Object.assign(queue, gone);
  await Promise.all([trail.recordOutcome(someEvent()), vi.advanceTimersByTimeAsync(1000)]);
  const spool = vi.spyOn(Spool.prototype, 'append').mockImplementation(full);
  const at = performance.now();
  await Promise.all([
    expect(trail.recordIntent(someEvent())).rejects.toMatchObject({ code: 'node.audit_unavailable' }),
    vi.advanceTimersByTimeAsync(90),
  ]);
  expect(performance.now() - at).toBeLessThan(100);
  spool.mockRestore();
  await vi.advanceTimersByTimeAsync(100);
  await Promise.all([trail.recordIntent(someEvent()), vi.advanceTimersByTimeAsync(10)]);
});

test('what a queue that is another one now had is looked for at once, and sent again where it is gone', async () => {
  for (let count = 0; count < 3; count += 1) void trail.recordOutcome(someEvent());
  await vi.advanceTimersByTimeAsync(1500);
  expect(placesOf(sent)).toEqual([[1, 3]]);
  const has = vi.fn<BatchQueue['has']>(() => Promise.resolve(false));
  Object.assign(queue, { has });
  await vi.advanceTimersByTimeAsync(5000);
  expect(has).not.toHaveBeenCalled();
  Object.assign(queue, { state: () => Promise.resolve({ pressed: false, evictsBy: null, identity: 'another' }) });
  await vi.advanceTimersByTimeAsync(1100);
  expect(placesOf(sent)).toEqual([
    [1, 3],
    [1, 3],
  ]);
});

test('a queue that may throw events away is told of, once', async () => {
  Object.assign(queue, { state: () => Promise.resolve({ pressed: false, evictsBy: 'allkeys-lru', identity: 'one' }) });
  await vi.advanceTimersByTimeAsync(3500);
  expect(trail.queueEvictsBy).toBe('allkeys-lru');
  expect(troubles).toEqual([['queue', expect.stringContaining('allkeys-lru')]]);
});

test('a spool that is deleted in use is noticed, written again, and goes on', async () => {
  await Promise.all([trail.recordOutcome(someEvent()), vi.advanceTimersByTimeAsync(10)]);
  rmSync(join(directory, trail.boot), { recursive: true });
  await vi.advanceTimersByTimeAsync(1100);
  expect(troubles).toEqual([['spool', expect.stringContaining('deleted')]]);
  await Promise.all([trail.recordOutcome(someEvent()), vi.advanceTimersByTimeAsync(10)]);
  const limits = { segmentBytes: 1e6, quotaBytes: 1e6 };
  expect(Spool.reopen(join(directory, trail.boot), limits).lastSeq).toBe(2);
});
