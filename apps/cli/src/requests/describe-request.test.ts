import { describe, expect, it } from 'vitest';
import { describeGiven, describeRequest, durationText } from './describe-request.js';

const request = {
  id: '0199aaaa-0000-7000-8000-000000000001',
  agent: 'data-agent',
  server: 'github',
  kind: 'tools' as const,
  names: ['create_issue'],
  durationSeconds: 7200,
  reason: 'the outage\u001b[31m',
  status: 'open' as const,
  filedBy: null,
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-01-08T00:00:00Z',
  decidedBy: null,
  decidedAt: null,
  decisionReason: null,
  grantId: null,
};

describe('a request on a terminal', () => {
  it('says who asks for what, for how long and why, and steers nothing', () => {
    expect(describeRequest(request)).toBe(
      `${request.id}  data-agent → github:create_issue for 2h, open\n  asked by the agent itself: the outage[31m`,
    );
    expect(describeRequest({ ...request, status: 'denied', decidedBy: 'ada', decisionReason: 'no', filedBy: 'bob' })).toContain('denied by ada: no');
  });

  it('says what was given of it, and until when', () => {
    const given = { id: request.id, server: 'github', names: ['create_issue'], condition: 'args.repo == "acme"', expiresAt: '2026-01-01T00:05:00Z' };
    expect(describeGiven(given)).toBe(`  given: github:create_issue where args.repo == "acme" until 2026-01-01T00:05:00Z (grant ${request.id})`);
  });

  it.each([
    [60, '1m'],
    [5400, '90m'],
    [28_800, '8h'],
    [172_800, '2d'],
    [61, '61s'],
  ])('writes %i seconds as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
