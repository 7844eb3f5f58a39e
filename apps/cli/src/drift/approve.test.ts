import type { ApiClient } from '@portcullis/api-client';
import { expect, it } from 'vitest';
import { approve } from './approve.js';

const id = '0198c1f0-0000-7000-8000-000000000001';
const looked = {
  selected: 1,
  decided: 0,
  hash: 'c'.repeat(64),
  definitions: [{ id, ref: 's:t', kind: 'tool', name: 't', state: 'changed', hash: 'h', approvedHash: 'g' }],
};

function talking(selected: number) {
  const asked: unknown[] = [];
  const api = {
    definitions: {
      approve: async (body: unknown) => {
        asked.push(body);
        return { value: { ...looked, selected, decided: 1 }, revision: 7 };
      },
    },
    servers: { diff: async () => ({ marks: [{ code: 'new_url', pointer: '/description', detail: 'has an address' }] }) },
  } as unknown as ApiClient;
  return { api, asked };
}

const options = { server: 's', names: ['t*'], reason: 'looked at', confirm: () => Promise.resolve(true) };

it('approves by the hash of what was shown, with what deserves a second look', async () => {
  const { api, asked } = talking(1);
  const printed: string[] = [];
  await approve(options, api, (text) => printed.push(text));
  const select = { server: 's', names: ['t*'] };
  expect(asked).toEqual([
    { select, dryRun: true },
    { select, hash: looked.hash, reason: 'looked at' },
  ]);
  expect(printed.join('\n')).toBe(
    'What waits at s:\n  t (tool, changed)\n      ! new_url at /description: has an address\nApproved 1 of s, in revision 7.',
  );
});

it('changes nothing where nobody says yes, or nothing waits', async () => {
  const { api, asked } = talking(1);
  await expect(approve({ ...options, confirm: () => Promise.resolve(false) }, api, () => undefined)).rejects.toThrow('Nothing was changed');
  expect(asked).toHaveLength(1);
  const none = talking(0);
  await approve(options, none.api, () => undefined);
  expect(none.asked).toHaveLength(1);
});
