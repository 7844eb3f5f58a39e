import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditBatch } from '@portcullis/contracts/audit';
import type { Entry } from './entry.js';
import { encodeFrame } from './frame.js';
import { Shipper } from './shipper.js';
import { Spool } from './spool.js';

let directory: string;
let spool: Spool;
let sent: AuditBatch[];
let add: () => Promise<void>;
let isInQueue: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  directory = mkdtempSync(join(tmpdir(), 'portcullis-spool-'));
  spool = Spool.create(directory, { segmentBytes: 1_000_000, quotaBytes: 1_000_000 });
  sent = [];
  add = () => Promise.resolve();
  isInQueue = true;
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

const newShipper = () =>
  new Shipper(
    { node: 'node-1', boot: '0190d7f0-0000-7000-8000-000000000000', spool, signer: () => undefined },
    {
      add: async (batch) => {
        sent.push(batch);
        await add();
      },
      has: () => Promise.resolve(isInQueue),
      state: () => Promise.resolve({ pressed: false, evictsBy: null, identity: 'one' }),
      close: () => Promise.resolve(),
    },
    () => undefined,
  );
const entry = (seq: number): Entry => ({ seq, frame: encodeFrame(seq, '{}'), hash: '', at: 0, spooled: true, queued: false, waiter: undefined });

test('an outcome does not wait out the patience of an intent that came before it', async () => {
  const shipper = newShipper();
  await vi.advanceTimersByTimeAsync(1000);
  shipper.offer([entry(1)], true);
  await vi.advanceTimersByTimeAsync(1);
  shipper.offer([entry(2)], false);
  shipper.offer([entry(3)], true);
  await vi.advanceTimersByTimeAsync(2);
  expect(sent.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
    [1, 1],
    [2, 3],
  ]);
});

test('an intent alone leaves within its patience', async () => {
  const shipper = newShipper();
  shipper.offer([entry(1)], false);
  await vi.advanceTimersByTimeAsync(19);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(2);
  expect(sent).toHaveLength(1);
});

test('a batch that is taken while others are acknowledged is sent again when the queue loses it', async () => {
  const shipper = newShipper();
  const taken = Promise.withResolvers<void>();
  add = () => taken.promise;
  spool.append([entry(1).frame], 1);
  shipper.offer([entry(1)], true);
  await vi.advanceTimersByTimeAsync(5);
  shipper.acknowledge(0);
  taken.resolve();
  await vi.advanceTimersByTimeAsync(31_000);
  expect(shipper.unacknowledged).toBe(1);
  isInQueue = false;
  await shipper.resend();
  expect(sent.map(({ firstSeq }) => firstSeq)).toEqual([1, 1]);
});
