import { realpathSync } from 'node:fs';
import { whateverWasUncaught } from '@portcullis/testing';
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

test('A123: a child that says what whoever listens cannot take is ended, and nobody else with it', async () => {
  const launch = { file: realpathSync('/bin/sh'), args: ['-c', 'echo {}; sleep 30'], cwd: '/', environment: { PATH: '/bin:/usr/bin' } };
  const line = (): boolean => {
    throw new RangeError('too deep');
  };
  let end: unknown;
  const uncaught = await whateverWasUncaught(async () => {
    const child = new Child(launch, { line, tooLong: () => undefined }, { log: new LogTail(100, {}), sweep: () => undefined });
    end = await child.ended;
  });
  expect(uncaught).toEqual([]);
  expect(end).toMatchObject({ signal: 'SIGKILL', reason: 'It said what could not be taken (RangeError)' });
});
