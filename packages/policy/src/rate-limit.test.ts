import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { describe, expect, test } from 'vitest';
import { compileTable, decide, explain } from './index.js';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const agent: AgentEntry = { id: id(1), slug: 'dev', enabled: true, toolNameStyle: 'colon', groupIds: [], keys: [] };
const server = { id: id(2), slug: 'github', tags: [], environment: null };
const rateLimit = { calls: 5, perSeconds: 60 };

function grant(n: number, rest: Partial<GrantEntry> = {}): GrantEntry {
  const usual = { kind: 'tools', effect: 'allow', notBefore: null, expiresAt: null } as const;
  return { id: id(n), subject: { agentId: agent.id }, target: { serverId: server.id }, names: ['*'], ...usual, ...rest };
}

const decided = (...grants: GrantEntry[]) => decide(compileTable({ agent, grants }), { server, kind: 'tools', name: 'search' }, {}, 0);

describe('the rate limit of a grant', () => {
  test('comes with the decision of that grant', () => {
    expect(decided(grant(10, { rateLimit }))).toMatchObject({ effect: 'allow', grantId: id(10), rateLimit });
    expect(decided(grant(10, { rateLimit, condition: 'true' }))).toMatchObject({ effect: 'allow', rateLimit });
  });

  test('counts only where no grant without one allows the same', () => {
    for (const names of [['*'], ['search'], ['s*']])
      expect(decided(grant(10, { rateLimit }), grant(11, { names }))).toMatchObject({ grantId: id(11), rateLimit: null });
    expect(decided(grant(10, { rateLimit, condition: 'true' }), grant(11, { condition: 'true' }))).toMatchObject({
      grantId: id(11),
      rateLimit: null,
    });
  });

  test('of several is that of the lowest id', () => {
    const more = { calls: 9, perSeconds: 60 };
    expect(decided(grant(11, { rateLimit: more, names: ['search'] }), grant(10, { rateLimit }))).toMatchObject({ grantId: id(10), rateLimit });
  });

  test('is told by an explanation', () => {
    const { steps } = explain({
      named: { agent: 'dev', server: 'github' },
      agent,
      server: { ...server, enabled: true },
      target: { kind: 'tools', name: 'search' },
      definition: { state: 'approved', served: true, json: '{}' },
      grants: [grant(10, { rateLimit })],
      now: 0,
    });
    expect(steps.map(({ text }) => text).join(' ')).toContain('is in force, for at most 5 calls of this agent in any 60 s');
  });
});
