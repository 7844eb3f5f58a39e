import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from './content.js';
import { CopyKeeper } from './copy-keeper.js';
import { createLastGoodCopy } from './last-good-copy.js';

const soon = { timeout: 20_000 };
const headOf = (body: string): SignedHead => ({ body, signature: 'signature' });

/** Contents of 3 MiB each, of which a keeper holds two at most. */
function large(...fills: number[]): Map<Digest, Uint8Array> {
  return new Map(fills.map((fill) => new Uint8Array(3 * 1024 * 1024).fill(fill)).map((bytes) => [digestOf(bytes), bytes]));
}

describe('CopyKeeper', () => {
  let directory: string;
  let keeper: CopyKeeper;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'portcullis-copy-'));
    keeper = new CopyKeeper(createLastGoodCopy(directory), () => performance.now());
  });
  afterEach(async () => {
    await keeper.flush();
    await rm(directory, { recursive: true, force: true });
  });
  const names = async (): Promise<ReadonlySet<string>> => new Set(await readdir(join(directory, 'chunks')).catch(() => []));

  test('a large policy is on disk, and no longer in memory, before it is served', async () => {
    const contents = large(1, 2, 3, 4);
    keeper.take(contents);
    await vi.waitFor(async () => expect(await names()).toEqual(new Set(contents.keys())), soon);
    expect(keeper.persisted).toBe(false);
    keeper.keep(headOf('one'), new Set(contents.keys()), []);
    await vi.waitFor(() => expect(keeper.persisted).toBe(true), soon);
    expect([...contents.values()].map(({ length }) => length)).toEqual([0, 0, 0, 0]);
    for (const name of await names()) expect(digestOf(await readFile(join(directory, 'chunks', name)))).toBe(name);
  });

  test('what was written ahead for the next policy outlives the saving of this one', async () => {
    const [first, second] = [large(1), large(2, 3, 4, 5)];
    const [needed, neededNext] = [new Set(first.keys()), new Set(second.keys())];
    keeper.take(first);
    keeper.keep(headOf('one'), needed, []);
    keeper.take(second);
    await vi.waitFor(() => expect(keeper.persisted).toBe(true), soon);
    keeper.keep(headOf('two'), neededNext, needed);
    await vi.waitFor(() => expect(keeper.persisted).toBe(true), soon);
    expect(await names()).toEqual(neededNext);
  });

  test('after the first saving a change costs the files that it names, and what is needed again stays', async () => {
    const [one, two, three] = [large(1), large(2), large(3)];
    const [a, b, c] = [one, two, three].map((contents) => [...contents.keys()]);
    const saved = async (name: string, needed: string[] = [], gone: string[] = []) => {
      keeper.keep(headOf(name), new Set(needed), gone);
      await vi.waitFor(() => expect(keeper.persisted).toBe(true), soon);
    };
    keeper.take(new Map([...one, ...two]));
    await saved('one', [...(a ?? []), ...(b ?? [])]);
    await writeFile(join(directory, 'chunks', 'left-by-somebody'), '');
    keeper.take(three);
    await saved('two', [...(a ?? []), ...(c ?? [])], b);
    expect(await names()).toEqual(new Set([...(a ?? []), ...(c ?? []), 'left-by-somebody']));
    keeper.take(large(2));
    await saved('three', [...(a ?? []), ...(b ?? [])], [...(b ?? []), ...(c ?? [])]);
    expect(await names()).toEqual(new Set([...(a ?? []), ...(b ?? []), 'left-by-somebody']));
  });

  test('what a change supersedes while the policy before it is still being written goes once that change is on disk', async () => {
    const [one, two] = [large(1), large(2)];
    const [needed, neededNext] = [new Set(one.keys()), new Set(two.keys())];
    keeper.take(one);
    keeper.keep(headOf('one'), needed, []);
    keeper.take(two);
    keeper.keep(headOf('two'), neededNext, needed);
    await keeper.flush();
    expect(await names()).toEqual(neededNext);
  });

  test('what was written ahead for a policy that was refused goes with the next one', async () => {
    const [refused, served] = [large(1, 2, 3, 4), large(5)];
    const needed = new Set(served.keys());
    keeper.take(refused);
    await vi.waitFor(async () => expect((await names()).size).toBe(4), soon);
    keeper.drop();
    keeper.take(served);
    keeper.keep(headOf('one'), needed, []);
    await vi.waitFor(() => expect(keeper.persisted).toBe(true), soon);
    expect(await names()).toEqual(needed);
  });
});
