import { expect, test } from 'vitest';
import { changeCapture, clearCapture } from './change-capture.js';
import { describeServer } from './describe-capture.js';

test('rules are added to what is there, and an exact name counts before globs', () => {
  const server = changeCapture(null, undefined, { results: { mode: 'none' } });
  const glob = changeCapture(server, 'get_*', { arguments: { mode: 'full' } });
  const both = changeCapture(glob, 'get_user', { arguments: { paths: ['/ssn'] } });
  const more = changeCapture(both, 'get_*', { arguments: { bytesMax: 10 } });
  expect(more).toEqual({
    results: { mode: 'none' },
    tools: [
      { names: ['get_user'], arguments: { paths: ['/ssn'] } },
      { names: ['get_*'], arguments: { mode: 'full', bytesMax: 10 } },
    ],
  });
  expect(describeServer('crm', more)).toEqual([
    'At crm:',
    '  results: none',
    '  get_user: arguments: without /ssn',
    '  get_*: arguments: full, at most 10 bytes',
  ]);
});

test('what is cleared is as usual again', () => {
  const capture = { results: { mode: 'none' as const }, tools: [{ names: ['a'], results: { mode: 'full' as const } }] };
  expect(clearCapture(capture, 'a')).toEqual({ results: { mode: 'none' } });
  expect(clearCapture({ tools: capture.tools }, 'a')).toBeNull();
  expect(clearCapture(capture, undefined)).toBeNull();
  expect(describeServer('crm', null)).toEqual(['At crm: as usual.']);
});
