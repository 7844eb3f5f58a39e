import type { Grant } from '@portcullis/contracts/api/grants';
import { expect, test } from 'vitest';
import { narrowed } from './narrowed.js';
import type { Use } from './usage.repository.js';

const id = '00000000-0000-7000-8000-000000000001';
const terms = {
  effect: 'allow' as const,
  condition: 'args.a == 1',
  pinned: null,
  rateLimit: null,
  mode: 'enforce' as const,
  notBefore: null,
  expiresAt: null,
};
const made = { reason: null, createdBy: 'x', createdAt: '2030-01-01T00:00:00Z', updatedAt: '2030-01-01T00:00:00Z' };
const grant: Grant = { id, subject: { group: 'team' }, server: 'github', selector: null, kind: 'tools', names: ['*'], ...terms, ...made };
const use = (server: string, name: string): Use => ({ grantId: id, server, kind: 'tools', name, calls: 1, lastAt: new Date(0) });

test('a grant that nobody used goes, and one that says exactly what was used stays as it is', () => {
  expect(narrowed(grant, [])).toEqual([{ do: 'grant.delete', id }]);
  expect(narrowed({ ...grant, names: ['b', 'a'] }, [use('github', 'a'), use('github', 'b')])).toEqual([]);
});

test('a glob becomes the names that were used, and names that were not go', () => {
  expect(narrowed(grant, [use('github', 'b'), use('github', 'a')])).toEqual([{ do: 'grant.update', id, change: { names: ['a', 'b'] } }]);
  expect(narrowed({ ...grant, names: ['a', 'b'] }, [use('github', 'a')])).toEqual([{ do: 'grant.update', id, change: { names: ['a'] } }]);
});

test('a selector becomes a grant for each server that was used, with all its terms', () => {
  const selecting: Grant = { ...grant, server: null, selector: { environment: 'prod' } };
  const copy = { group: 'team', kind: 'tools', ...terms };
  expect(narrowed(selecting, [use('github', 'a'), use('mail', 'a'), use('mail', 'c')])).toEqual([
    { do: 'grant.create', grant: { ...copy, server: 'github', names: ['a'] } },
    { do: 'grant.create', grant: { ...copy, server: 'mail', names: ['a', 'c'] } },
    { do: 'grant.delete', id },
  ]);
});

test('what could not be granted by name, or would be more than anybody reviews, is left alone', () => {
  expect(narrowed(grant, [use('github', 'odd*name')])).toEqual([]);
  expect(
    narrowed(
      grant,
      Array.from({ length: 201 }, (_, at) => use('github', `tool_${at}`)),
    ),
  ).toEqual([]);
});
