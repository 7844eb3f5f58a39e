import { expect, test } from 'vitest';
import { describeAsked } from './describe-asked.js';
import { aSnapshot } from './testing/build-gateway.js';
import { aGrant, anAgent, aServer, aTool } from './testing/policy-builders.js';
import { AgentViews } from './view/agent-views.js';

const agent = anAgent('alice');
const now = 1_000_000;
const one = aServer('one', [aTool('open'), aTool('old')]);
const off = aServer('off', [aTool('open')], { enabled: false });
const live = aSnapshot({ servers: [one, off], grants: [aGrant(agent, one, { names: ['old'], expiresAt: now - 1 })] });

test.each([
  { slug: null, asked: 'two__open', told: { server: null, name: 'two__open', reason: 'unknown_server' } },
  { slug: null, asked: 'nonsense', told: { server: null, name: 'nonsense', reason: 'unknown_server' } },
  { slug: null, asked: 'off__open', told: { server: 'off', name: 'open', reason: 'server_disabled' } },
  { slug: null, asked: 'one:other', told: { server: 'one', name: 'other', reason: 'not_offered' } },
  { slug: null, asked: 'one.open', told: { server: 'one', name: 'open', reason: 'no_grant' } },
  { slug: null, asked: 'one__old', told: { server: 'one', name: 'old', reason: 'expired' } },
  { slug: 'one', asked: 'open', told: { server: 'one', name: 'open', reason: 'no_grant' } },
  { slug: 'two', asked: 'open', told: { server: null, name: 'open', reason: 'unknown_server' } },
])('an auditor reads why $asked did not do: $told.reason', ({ slug, asked, told }) => {
  const view = new AgentViews(10).of(agent, slug, { live, now });
  const described = describeAsked(asked, 'tool', { visit: { slug, live, now }, args: {}, view });
  expect({ ...described, server: described.server?.slug ?? null }).toEqual(told);
});
