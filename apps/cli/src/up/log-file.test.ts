import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endOfLog, readableLine } from './log-file.js';

let directory: string;
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'portcullis-cli-'))));
afterEach(() => rm(directory, { recursive: true }));

describe('log file', () => {
  it('shows whole lines of its end', async () => {
    const file = join(directory, 'a.log');
    await writeFile(file, 'first line\nsecond line\nthird line\n');
    expect(await endOfLog(file, 15)).toBe('third line');
    expect(await endOfLog(file)).toBe('first line\nsecond line\nthird line');
  });

  it('says so where there is nothing to show', async () => {
    await writeFile(join(directory, 'empty.log'), '');
    expect(await endOfLog(join(directory, 'empty.log'))).toBe('(the log is empty)');
    expect(await endOfLog(join(directory, 'none.log'))).toBe('(no log)');
  });

  it('tells a JSON line in words, with its causes and without stacks', () => {
    const err = { type: 'Error', message: 'cannot listen', stack: 'Error: at x', cause: { message: 'EADDRINUSE' } };
    const line = JSON.stringify({ level: 'fatal', time: 't', process: 'p', pid: 1, err, port: 80, msg: 'Process could not start' });
    expect(readableLine(line)).toBe('t fatal Process could not start: cannot listen: EADDRINUSE {"port":80}');
  });

  it('leaves every other line as it is', () => {
    for (const line of ['plain', '{"half":', '{"a":1}', 'null', '42']) expect(readableLine(line)).toBe(line);
  });
});
