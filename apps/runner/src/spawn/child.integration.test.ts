import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Child } from './child.js';
import { LogTail } from './log-tail.js';

const MIB = 1024 * 1024;

test('A123: a child that has more and more sent to it and never reads is ended, before it fills the runner', async () => {
  const launch = { file: realpathSync('/bin/sleep'), args: ['30'], cwd: '/', environment: {} };
  const child = new Child(launch, { line: () => true, tooLong: () => undefined }, { log: new LogTail(100, {}), sweep: () => undefined });
  const line = Buffer.alloc(MIB, 'x');
  for (let count = 0; count < 80; count += 1) child.write(line);
  expect(child.pendingBytes).toBeLessThan(70 * MIB);
  expect(await child.ended).toMatchObject({ signal: 'SIGKILL', reason: 'It does not read what it is sent' });
});
