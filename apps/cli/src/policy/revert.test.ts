import type { ApiClient } from '@portcullis/api-client';
import { expect, test, vi } from 'vitest';
import { revert } from './revert.js';

const id = '00000000-0000-7000-8000-000000000001';
const diff = [{ kind: 'grant', id, operation: 'deleted', before: { names: ['read'] }, after: null }];
const none = { count: 0, items: [], nextCursor: null };
const preview = { revision: 7, gained: none, lost: { ...none, count: 3 }, conditional: none, calls: null, limits: null };

function fakeApi() {
  const undo = vi.fn<() => Promise<unknown>>(async () => ({ value: { revision: 8, diff, diffTotal: 1 }, revision: 8 }));
  const rehearse = vi.fn<() => Promise<unknown>>(async () => ({ revision: 7, changed: 1, diff, diffTotal: 1, preview }));
  return { undo, rehearse, api: { revisions: { revert: undo, rehearseRevert: rehearse } } as unknown as ApiClient };
}

test('a dry run tells what would change and who would lose what, and changes nothing', async () => {
  const { api, undo, rehearse } = fakeApi();
  const print = vi.fn<(text: string) => void>();
  await revert({ revision: 5, reason: 'wrong team', dryRun: true }, { api }, print);
  expect(rehearse).toHaveBeenCalledWith(5, { reason: 'wrong team' });
  expect(undo).not.toHaveBeenCalled();
  expect(print).toHaveBeenCalledWith(
    `Undoing revision 5 would change:\n  deleted grant ${id} {"names":["read"]}\nGained: 0\nLost: 3\n  and 3 more\nOn other conditions: 0\nNothing was changed.\n`,
  );
});

test('without it the revision is undone, as a new one', async () => {
  const { api, undo, rehearse } = fakeApi();
  const print = vi.fn<(text: string) => void>();
  await revert({ revision: 5, reason: 'wrong team', dryRun: false }, { api }, print);
  expect(undo).toHaveBeenCalledWith(5, { reason: 'wrong team' });
  expect(rehearse).not.toHaveBeenCalled();
  expect(print.mock.lastCall?.[0]).toMatch(/^Revision 5 is undone by revision 8:/);
});
