import { expect, test } from 'vitest';
import { CapturePath, ServerCapture } from './capture.js';

test.each(['/a', '/a/*/b', '/', '/a~1b/~0c', '/0/1', '/ä/☃'])('%j is a pointer', (path) => {
  expect(CapturePath.safeParse(path).success).toBe(true);
});

test.each(['', 'a', '$.a', 'a/b', '/a~', '/a~2b'])('%j is none, and it is said why', (path) => {
  expect(CapturePath.safeParse(path).error?.issues[0]?.message).toContain('is no JSON pointer');
});

test('a fault is told with its place', () => {
  const faults = ServerCapture.safeParse({ tools: [{ names: ['x'], arguments: { paths: ['/ok', 'bad'] } }] }).error?.issues;
  expect(faults?.map(({ path }) => path)).toEqual([['tools', 0, 'arguments', 'paths', 1]]);
});
