import type { Definition } from '@portcullis/contracts/api/servers';
import { describe, expect, it } from 'vitest';
import { describeOffer } from './describe-offer.js';

const definition = (part: Partial<Definition>): Definition => ({
  id: '0198c1f0-0000-7000-8000-000000000001',
  ref: 's:t',
  kind: 'tool',
  name: 't',
  state: 'pending',
  served: false,
  hash: 'h',
  approvedHash: null,
  offered: {},
  approved: null,
  firstSeenAt: '2026-11-22T08:00:00Z',
  lastSeenAt: '2026-11-22T08:00:00Z',
  decidedAt: null,
  decidedBy: null,
  ...part,
});

describe('describeOffer', () => {
  it('shows what a tool claims about itself as its claim', () => {
    const readOnly = definition({ name: 'look', offered: { description: 'Looks.', annotations: { readOnlyHint: true } } });
    const silent = definition({ name: 'act', state: 'changed', offered: {} });
    expect(describeOffer([readOnly, silent])).toBe('  look [says: read-only, pending]\n      Looks.\n  act [may write, changed]');
  });

  it('lets a server write nothing of its own onto the terminal', () => {
    const hostile = definition({ name: 'x\u001b]0;owned\u0007', offered: { description: 'a\nApprove? yes\u001b[31m', annotations: 'none' } });
    expect(describeOffer([hostile])).toBe('  x]0;owned [may write, pending]\n      a Approve? yes[31m');
  });

  it('says that prompts and resources are not granted here', () => {
    expect(describeOffer([definition({ kind: 'prompt' })])).toContain('1 prompt or resource, which are not granted here');
    expect(describeOffer([])).toBe('  nothing');
  });
});
