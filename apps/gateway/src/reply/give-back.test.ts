import { expect, test } from 'vitest';
import { giveBack, PausePlace } from './give-back.js';

const turn = (): Promise<void> => Promise.resolve();

test('what was read in one go is given back, after whoever read it is done with it', async () => {
  const read = Buffer.from(new ArrayBuffer(65_536));
  giveBack(read.subarray(60_000));
  expect(read).toHaveLength(65_536);
  await turn();
  expect(read).toHaveLength(0);
});

test('what is not the last of its read stays', async () => {
  const read = Buffer.from(new ArrayBuffer(65_536));
  giveBack(read.subarray(0, 65_000));
  await turn();
  expect(read).toHaveLength(65_536);
});

test('the empty piece that stands for no read stays, since all reads share it', async () => {
  const empty = Buffer.alloc(0);
  giveBack(empty.subarray(0));
  await turn();
  expect(() => new Uint8Array(8).set(empty)).not.toThrow();
});

test('the pool of small buffers is never given back', async () => {
  const slices = Array.from({ length: 40 }, (_, at) => Buffer.from(String(at % 10).repeat(Buffer.poolSize / 8)));
  for (const slice of slices) giveBack(slice);
  await turn();
  expect(slices.map((slice) => slice.length)).toEqual(slices.map(() => Buffer.poolSize / 8));
});

test('an answer pauses where a read ends, or else in the next', () => {
  const [one, two] = [Buffer.from(new ArrayBuffer(65_536)), Buffer.from(new ArrayBuffer(65_536))];
  const place = new PausePlace();
  expect([one.subarray(0, 4000), one.subarray(4006, 65_530)].map((piece) => place.isBehind(piece))).toEqual([false, true]);
  expect([one.subarray(0, 4000), one.subarray(4006, 65_000), two.subarray(0, 4000)].map((piece) => place.isBehind(piece))).toEqual([
    false,
    false,
    true,
  ]);
});
