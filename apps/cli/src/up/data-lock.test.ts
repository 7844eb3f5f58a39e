import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDirectory } from './data-lock.js';
import { identify } from './process-identity.js';

let data: string;
beforeEach(async () => void (data = await mkdtemp(join(tmpdir(), 'portcullis-cli-'))));
afterEach(() => rm(data, { recursive: true }));

describe('data lock', () => {
  it('keeps a second stack out, naming the process, until it is released', async () => {
    const lock = await lockDataDirectory(data);
    await expect(lockDataDirectory(data)).rejects.toThrow(`A stack already runs on ${data} (pid ${process.pid})`);
    await lock.release();
    await (await lockDataDirectory(data)).release();
    expect(await readdir(data)).toEqual([]);
  });

  it.each([
    ['of a process that is gone while its pid is in use again', JSON.stringify({ pid: process.pid, started: 'another time' })],
    ['that cannot be read', '{"pid":'],
  ])('takes over a lock %s', async (_what, left) => {
    await writeFile(join(data, 'up.lock'), left);
    const lock = await lockDataDirectory(data);
    expect(JSON.parse(await readFile(join(data, 'up.lock'), 'utf8'))).toEqual(await identify(process.pid));
    await lock.release();
  });

  it('goes to exactly one of several that start at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDirectory(data)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
