import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { describe, expect, test } from 'vitest';
import { explain, type ExplainFacts } from './index.js';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const agent: AgentEntry = { id: id(1), slug: 'data-agent', enabled: true, toolNameStyle: 'colon', groupIds: [id(7)], keys: [] };
const grant: GrantEntry = {
  id: id(100),
  subject: { agentId: agent.id },
  target: { serverId: id(2) },
  kind: 'tools',
  names: ['query'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
};
const facts: ExplainFacts = {
  named: { agent: 'data-agent', server: 'postgres' },
  agent,
  server: { id: id(2), slug: 'postgres', tags: [], environment: null, enabled: true },
  target: { kind: 'tools', name: 'query' },
  definition: { state: 'approved', served: true, json: '{}' },
  grants: [grant],
  now: 1_000,
};
const codes = (over: Partial<ExplainFacts>) => explain({ ...facts, ...over }).steps.map(({ code }) => code);
const hints = (over: Partial<ExplainFacts>) => explain({ ...facts, ...over }).hints.join(' ');

describe('explain', () => {
  test('full access names every rule passed and leaves nothing to do', () => {
    expect(explain(facts)).toMatchObject({ effect: 'allow', visible: true, grantId: grant.id, hints: [] });
    expect(codes({})).toEqual(['agent_enabled', 'server_enabled', 'definition_approved', 'grant_allows', 'granted']);
  });

  test('a spent budget stops calls until its end, and hides nothing', () => {
    const over = { agent: { ...agent, budgetSpentUntil: 2_000 } };
    expect(explain({ ...facts, ...over })).toMatchObject({ effect: 'deny', visible: true, grantId: grant.id });
    expect(codes(over)).toEqual(['agent_enabled', 'server_enabled', 'definition_approved', 'budget_spent', 'grant_allows', 'refused']);
    expect(hints(over)).toContain('Raise the budget that is spent, or wait until 1970-01-01T00:00:02.000Z.');
    expect(explain({ ...facts, ...over, now: 2_000 })).toEqual(explain({ ...facts, now: 2_000 }));
  });

  test('a limit that is used up stops calls until its end and hides nothing; that of a grant only where it decides', () => {
    const limit = { whose: 'data-agent', terms: '10 calls a day', until: 2_000, grantId: null };
    expect(explain({ ...facts, spentLimits: [limit] })).toMatchObject({ effect: 'deny', visible: true, grantId: grant.id });
    expect(codes({ spentLimits: [limit] })).toContain('limit_spent');
    expect(hints({ spentLimits: [limit] })).toBe('Raise the limit of data-agent, or wait until 1970-01-01T00:00:02.000Z.');
    expect(codes({ spentLimits: [{ ...limit, grantId: grant.id }] })).toContain('limit_spent');
    expect(explain({ ...facts, spentLimits: [{ ...limit, grantId: id(999) }] })).toEqual(explain(facts));
  });

  test.each([
    ['agent_unknown', { agent: null }, 'Create the agent'],
    ['agent_disabled', { agent: { ...agent, enabled: false } }, 'Enable the agent'],
    ['server_unknown', { server: null }, 'Register the server'],
    ['server_disabled', { server: { id: id(2), slug: 'postgres', tags: [], environment: null, enabled: false } }, 'Enable the server'],
    ['definition_unknown', { definition: null }, 'run discovery'],
    ['definition_pending', { definition: { state: 'pending', served: false, json: '{}' } }, 'Approve postgres:query'],
    ['definition_changed', { definition: { state: 'changed', served: false, json: '{}' } }, 'Review the change'],
    ['definition_rejected', { definition: { state: 'rejected', served: false, json: '{}' } }, 'Approve postgres:query'],
    ['definition_removed', { definition: { state: 'removed', served: false, json: '{}' } }, ''],
    ['no_grant', { grants: [] }, 'Grant postgres:query (tools) to data-agent'],
    ['grant_expired', { grants: [{ ...grant, expiresAt: 1_000 }] }, 'Extend grant'],
    ['grant_not_yet_valid', { grants: [{ ...grant, notBefore: 1_001 }] }, 'Wait until'],
    ['grant_denies', { grants: [grant, { ...grant, id: id(101), effect: 'deny', names: ['*'] }] }, `Delete the denying grant ${id(101)}`],
  ] satisfies [string, Partial<ExplainFacts>, string][])('%s alone refuses, with what to do about it', (code, over, hint) => {
    expect(explain({ ...facts, ...over })).toMatchObject({ effect: 'deny', visible: false });
    expect(codes(over)).toContain(code);
    expect(hints(over)).toContain(hint);
  });

  test('with the key of a task, what lies outside of it is refused whatever is granted', () => {
    expect(explain({ ...facts, task: { tools: ['postgres:que*'] } })).toMatchObject({ effect: 'allow', visible: true });
    expect(codes({ task: { servers: ['postgres'] } })).toContain('within_task');
    const outside = { task: { tools: ['postgres:other'] } };
    expect(explain({ ...facts, ...outside })).toMatchObject({ effect: 'deny', visible: false });
    expect([codes(outside), hints(outside)]).toEqual([
      expect.arrayContaining(['outside_task', 'refused']),
      expect.stringContaining('postgres:query'),
    ]);
    // Tools narrow nothing but tools; servers everything.
    const prompts = { target: { kind: 'prompts', name: 'query' }, grants: [{ ...grant, kind: 'prompts' }] } as const;
    expect(codes({ ...prompts, task: { tools: ['*:*'] } })).toContain('outside_task');
  });

  test('a changed definition that is still served does not refuse', () => {
    expect(explain({ ...facts, definition: { state: 'changed', served: true, json: '{}' } })).toMatchObject({ effect: 'allow', visible: true });
  });

  test('names everything in the way at once', () => {
    const over = { agent: { ...agent, enabled: false }, definition: { state: 'pending', served: false, json: '{}' }, grants: [] } as const;
    expect(codes(over)).toEqual(['agent_disabled', 'server_enabled', 'definition_pending', 'no_grant']);
    expect(explain({ ...facts, ...over }).hints).toHaveLength(3);
  });

  test.each([
    ['a similar name', { names: ['qurey'] }, 'allows "qurey", which is close'],
    ['a glob close by', { names: ['querys*'] }, 'allows "querys*", which is close'],
    ['another kind', { kind: 'prompts' }, 'among prompts, not tools'],
    ['another server', { target: { serverId: id(3) } }, 'on another server'],
  ] satisfies [string, Partial<GrantEntry>, string][])('points at the nearest allowing grant: %s', (_what, over, hint) => {
    expect(hints({ grants: [{ ...grant, ...over }] })).toContain(hint);
  });

  test('grants of others say nothing', () => {
    expect(codes({ grants: [{ ...grant, subject: { groupId: id(8) } }] })).toEqual([
      'agent_enabled',
      'server_enabled',
      'definition_approved',
      'no_grant',
    ]);
    expect(explain({ ...facts, grants: [{ ...grant, subject: { groupId: id(7) } }] }).effect).toBe('allow');
  });

  test('times beyond the range of dates do not break it', () => {
    expect(codes({ grants: [{ ...grant, notBefore: Number.MAX_SAFE_INTEGER }] })).toContain('grant_not_yet_valid');
  });
});
