import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DecodedBatch } from '@portcullis/audit';
import { StoreTogether } from './store-together.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const aBatch = (firstSeq: number, unreadable: DecodedBatch['unreadable'] = []): DecodedBatch => ({
  batch: { v: 1, node: 'n', boot: 'b', firstSeq, lastSeq: firstSeq, frames: '' },
  events: [],
  unreadable,
  frames: [],
});

/** A store that notes what it is given together, and fails as it is told. */
function aStore(failure: (batches: readonly number[]) => Error | undefined = () => undefined) {
  const commits: number[][] = [];
  const commit = async (all: readonly DecodedBatch[]): Promise<void> => {
    const seqs = all.map(({ batch }) => batch.firstSeq);
    const error = failure(seqs);
    if (error) throw error;
    commits.push(seqs);
  };
  return { commits, together: new StoreTogether({ storeAll: commit, store: (one) => commit([one]) }) };
}

const poison = (): Error => Object.assign(new Error('22P05'), { code: '22P05' });

test('a batch that comes alone is stored at once, and what comes soon after goes together', async () => {
  const { commits, together } = aStore();
  await together.store(aBatch(1));
  const later = [2, 3, 4].map((seq) => together.store(aBatch(seq)));
  await vi.advanceTimersByTimeAsync(1);
  expect(commits).toEqual([[1]]);
  await vi.advanceTimersByTimeAsync(10);
  await Promise.all(later);
  expect(commits).toEqual([[1], [2, 3, 4]]);
});

test('a batch that Postgres refuses costs none of those it was to be stored with', async () => {
  const { commits, together } = aStore((seqs) => (seqs.includes(3) ? poison() : undefined));
  await together.store(aBatch(1));
  const ends = Promise.allSettled([2, 3, 4].map((seq) => together.store(aBatch(seq))));
  await vi.advanceTimersByTimeAsync(10);
  expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(commits).toEqual([[1], [2], [4]]);
});

test('where Postgres is not to be had every batch is told so, and the next ones are tried', async () => {
  let isDown = true;
  const { commits, together } = aStore(() => (isDown ? new Error('connection refused') : undefined));
  await expect(together.store(aBatch(1))).rejects.toThrow('connection refused');
  isDown = false;
  const stored = together.store(aBatch(2));
  await vi.advanceTimersByTimeAsync(10);
  await stored;
  expect(commits).toEqual([[2]]);
});

test('a batch with something unreadable is stored alone', async () => {
  const { commits, together } = aStore();
  await Promise.all([together.store(aBatch(1)), together.store(aBatch(2, [{ seq: 2, bytes: Buffer.from('?') }]))]);
  expect(commits).toHaveLength(2);
});
