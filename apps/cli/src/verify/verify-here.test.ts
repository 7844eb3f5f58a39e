import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustedFrom } from './verify-here.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-anchor-'));
});
afterAll(() => rm(directory, { recursive: true }));

const head = (n: number) => ({
  n,
  hash: 'a'.repeat(64),
  events: 1,
  sealedAt: '2026-01-01T00:00:00.000Z',
  keyId: 'k',
  publicKey: 'p',
  signature: 's',
});

async function numbersOf(heads: AsyncIterable<{ n: number }>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { n } of heads) numbers.push(n);
  return numbers;
}

test('heads that were torn as a machine died are passed over, wherever they are, and what is no head is not', async () => {
  const anchor = join(directory, 'anchor.ndjson');
  await writeFile(anchor, `${JSON.stringify(head(1))}\n{"n":2,"ha\n${JSON.stringify(head(3))}\n{"n":4`);
  const { keys, heads } = await trustedFrom({ anchor });
  expect(keys).toEqual([{ keyId: 'k', publicKey: 'p' }]);
  expect(await numbersOf(heads())).toEqual([1, 3]);
  await writeFile(anchor, '{"n":"one"}\n');
  await expect(trustedFrom({ anchor })).rejects.toThrow('not what it should be');
});

test('heads that are told after a proof was asked for are of none of its blocks, so they are not held against it', async () => {
  const anchor = join(directory, 'growing.ndjson');
  await writeFile(anchor, `${JSON.stringify(head(1))}\n`);
  const { heads } = await trustedFrom({ anchor });
  await appendFile(anchor, `${JSON.stringify(head(2))}\n`);
  expect(await numbersOf(heads())).toEqual([1]);
});
