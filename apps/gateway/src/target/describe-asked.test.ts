import { describe, expect, test } from 'vitest';
import { describeAsked } from './describe-asked.js';
import { aSnapshot } from '../testing/build-gateway.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { AgentViews } from '../view/agent-views.js';

const agent = anAgent('alice');
const now = 1_000_000;
const one = aServer('one', [aTool('open'), aTool('old')], { withheld: [{ kind: 'tool', name: 'drifted' }] });
const off = aServer('off', [aTool('open')], { enabled: false });
const live = aSnapshot({ servers: [one, off], grants: [aGrant(agent, one, { names: ['old'], expiresAt: now - 1 })] });

test.each([
  { slug: null, asked: 'two__open', told: { server: null, name: 'two__open', reason: 'unknown_server' } },
  { slug: null, asked: 'nonsense', told: { server: null, name: 'nonsense', reason: 'unknown_server' } },
  { slug: null, asked: 'off__open', told: { server: 'off', name: 'open', reason: 'server_disabled' } },
  { slug: null, asked: 'one:other', told: { server: 'one', name: 'other', reason: 'not_offered' } },
  { slug: null, asked: 'one:drifted', told: { server: 'one', name: 'drifted', reason: 'withheld' } },
  { slug: null, asked: 'one.open', told: { server: 'one', name: 'open', reason: 'no_grant' } },
  { slug: null, asked: 'one__old', told: { server: 'one', name: 'old', reason: 'expired' } },
  { slug: 'one', asked: 'open', told: { server: 'one', name: 'open', reason: 'no_grant' } },
  { slug: 'two', asked: 'open', told: { server: null, name: 'open', reason: 'unknown_server' } },
])('an auditor reads why $asked did not do: $told.reason', ({ slug, asked, told }) => {
  const view = new AgentViews(10).of(agent, slug, { live, now });
  const described = describeAsked(asked, 'tool', { visit: { slug, live, now }, args: {}, view });
  expect({ ...described, server: described.server?.slug ?? null }).toMatchObject(told);
});

describe('a URI that led nowhere is on record with the server that offers it', () => {
  const docs = aServer('docs', [aDefinition('resource', 'docs://a'), aDefinition('resource_template', 'docs://t/{id}')]);
  const mirror = aServer('mirror', [aDefinition('resource', 'docs://a')]);
  const dark = aServer('dark', [aDefinition('resource', 'dark://a')], { enabled: false });
  const drifted = aServer('drifted', [], { withheld: [{ kind: 'resource', name: 'docs://drifted' }] });
  const denied = aGrant(agent, mirror, { kind: 'resources', names: ['docs://a'], effect: 'deny' });
  const template = aGrant(agent, docs, { kind: 'resources', names: ['docs://t/*'] });
  const secret = aGrant(agent, docs, { kind: 'resources', names: ['docs://t/secret'], effect: 'deny' });
  const trial = aGrant(agent, docs, { kind: 'resources', names: ['docs://a'], mode: 'shadow' });

  test.each([
    { uri: 'docs://a', grants: [denied], told: { server: 'mirror', reason: 'denied_by_grant', grantId: denied.id } },
    { uri: 'docs://a', grants: [trial], told: { server: 'docs', reason: 'no_grant', grantId: null, shadow: { grantId: trial.id } } },
    { uri: 'docs://t/1', grants: [denied], told: { server: 'docs', reason: 'no_grant' } },
    { uri: 'docs://t/{id}', grants: [denied], told: { server: 'docs', reason: 'no_grant' } },
    { uri: 'docs://t/%31', grants: [template], told: { server: 'docs', reason: 'not_canonical' } },
    { uri: 'docs://t/secret', grants: [secret], told: { server: 'docs', reason: 'denied_by_grant', grantId: secret.id } },
    { uri: 'dark://a', grants: [], told: { server: 'dark', reason: 'server_disabled' } },
    { uri: 'docs://drifted', grants: [], told: { server: 'drifted', reason: 'withheld' } },
    { uri: 'docs://b', grants: [template], told: { server: null, reason: 'not_offered' } },
    { uri: 'docs://a', slug: 'docs', grants: [denied], told: { server: 'docs', reason: 'no_grant' } },
    { uri: 'docs://b', slug: 'docs', grants: [], told: { server: 'docs', reason: 'not_offered' } },
    { uri: 'docs://a', slug: 'off', grants: [], told: { server: null, reason: 'unknown_server' } },
  ])('$uri: $told.reason', ({ uri, slug = null, grants, told }) => {
    const held = aSnapshot({ servers: [mirror, dark, docs, drifted], grants });
    const view = new AgentViews(10).of(agent, slug, { live: held, now });
    const described = describeAsked(uri, 'resource', { visit: { slug, live: held, now }, args: {}, view });
    expect({ ...described, server: described.server?.slug ?? null }).toMatchObject({ name: uri, ...told });
  });
});
