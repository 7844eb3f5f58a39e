import { expect, test } from 'vitest';
import { describeDiff, describePreview } from './describe-result.js';

const grant = '00000000-0000-7000-8000-000000000001';

test('a preview is told in counts, examples and what recorded calls say, with nothing that could steer a terminal', () => {
  const shift = {
    agent: 'ann',
    kind: 'tools' as const,
    ref: 'github:re\u001b[31mad',
    before: 'deny' as const,
    after: 'allow' as const,
    grantBefore: null,
    grantAfter: grant,
  };
  const none = { count: 0, items: [], nextCursor: null };
  const calls = { days: 7, calls: 9, allowedToDenied: 1, deniedToAllowed: 2, undecidable: 3, unexamined: 0, samples: [] };
  const quota = (count: number) => ({ kind: 'quota' as const, calls: count, per: 'day' as const });
  const made = { id: null, subject: { agent: 'ann' }, before: null, after: quota(10), refused: 0, calls: 30, beyond: 4 };
  const gone = { ...made, id: grant, before: quota(10), after: null, refused: 4, calls: null, beyond: null };
  const limits = { count: 3, items: [made, gone] };
  const lines = describePreview({ revision: 1, gained: { count: 2, items: [shift], nextCursor: 'x' }, lost: none, conditional: none, calls, limits });
  expect(lines).toEqual([
    'Gained: 2',
    '  ann github:re[31mad (deny → allow)',
    '  and 1 more',
    'Lost: 0',
    'On other conditions: 0',
    'Of 9 recorded calls of 7 days: 1 allowed would be denied, 2 denied would be allowed',
    '3 cannot be decided again: their arguments were not kept whole',
    'Limits: 3',
    '  agent ann (none → 10 calls a day): 30 recorded calls count to it, at least 4 of them are beyond it',
    '  agent ann (10 calls a day → none): refused 4 recorded calls',
    '  and 1 more',
  ]);
});

test('a diff is told change by change', () => {
  const diff = [{ kind: 'grant', id: grant, operation: 'updated' as const, before: { names: ['read'] }, after: { names: ['read', 'write'] } }];
  expect(describeDiff({ diff, diffTotal: 3 })).toEqual([`  updated grant ${grant} {"names":["read"]} → {"names":["read","write"]}`, '  and 2 more']);
});
