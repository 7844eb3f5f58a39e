import type { DriftChange } from '@portcullis/contracts/api/drift';
import { expect, it } from 'vitest';
import { describeDrift } from './describe-drift.js';

const change: DriftChange = {
  id: '0198c1f0-0000-7000-8000-000000000001',
  at: '2026-11-22T08:00:00.000Z',
  serverId: '0198c1f0-0000-7000-8000-000000000002',
  server: 'github',
  change: 'changed',
  definition: { id: '0198c1f0-0000-7000-8000-000000000003', ref: 'github:create_issue', kind: 'tool', name: 'create_issue' },
  state: 'changed',
  beforeHash: 'a',
  afterHash: 'b',
  fields: [],
  marks: [{ code: 'instruction_like', pointer: '/description', detail: 'reads like\u001b[31m an order' }],
  decision: null,
};

it('tells a change and its marks with nothing that a terminal would act on', () => {
  expect(describeDrift(change)).toBe(
    '2026-11-22 08:00  changed  github:create_issue (tool)\n      ! instruction_like at /description: reads like[31m an order',
  );
  const decision = { verdict: 'approved' as const, at: change.at, by: 'admin', reason: null };
  expect(describeDrift({ ...change, change: 'server', definition: null, marks: [], decision })).toBe(
    '2026-11-22 08:00  server   github, approved by admin',
  );
});
