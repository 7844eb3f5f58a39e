import { expect, test } from 'vitest';
import { giveBack } from './give-back.js';

const turn = (): Promise<void> => Promise.resolve();

test('what was read in one go is given back, after whoever read it is done with it', async () => {
  const read = Buffer.from(new ArrayBuffer(65_536));
  giveBack(read.subarray(1000));
  expect(read).toHaveLength(65_536);
  await turn();
  expect(read).toHaveLength(0);
});

test.each([
  ['not the last of its read', (read: Buffer) => read.subarray(0, 65_000)],
  ['so small that it may lie in a pool', (read: Buffer) => read.subarray(60_000)],
])('what is %s stays', async (_what, piece) => {
  const read = Buffer.from(new ArrayBuffer(65_536));
  giveBack(piece(read));
  await turn();
  expect(read).toHaveLength(65_536);
});

test('the pool of small buffers is never given back', async () => {
  const slices = Array.from({ length: 40 }, (_, at) => Buffer.from(String(at % 10).repeat(Buffer.poolSize / 8)));
  for (const slice of slices) giveBack(slice);
  await turn();
  expect(slices.map((slice) => slice.length)).toEqual(slices.map(() => Buffer.poolSize / 8));
});
