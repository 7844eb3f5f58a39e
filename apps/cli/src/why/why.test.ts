import type { ExplainResponse } from '@portcullis/contracts/api/policy';
import { describe, expect, it } from 'vitest';
import { explanation } from './why.js';

const answer: ExplainResponse = {
  effect: 'deny',
  visible: false,
  grantId: null,
  steps: [{ code: 'no_grant', text: 'No grant names\u001b[31m this tool.', grantId: null }],
  hints: ['Grant it.'],
  revision: 7,
};

describe('explanation', () => {
  it('tells the verdict, the reasons, what would change it, and as of when', () => {
    expect(explanation('data-agent', 'github:create_issue', answer)).toBe(
      [
        'data-agent may not use github:create_issue. It is not in its list of tools.',
        'Because:',
        '  - No grant names[31m this tool.',
        'What would change that:',
        '  - Grant it.',
        'As of revision 7.',
      ].join('\n'),
    );
  });

  it('leaves out what there is not', () => {
    const allowed: ExplainResponse = { ...answer, effect: 'conditional', visible: true, steps: [], hints: [] };
    expect(explanation('a', 's:t', allowed)).toBe('a may, depending on the arguments, use s:t. It is in its list of tools.\nAs of revision 7.');
  });
});
