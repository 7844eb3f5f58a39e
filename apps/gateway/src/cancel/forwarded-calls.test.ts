import type { GatewayError } from '@portcullis/contracts/errors';
import { TokenIssuer } from '@portcullis/contracts/token-issuers';
import { expect, test } from 'vitest';
import { aSnapshot } from '../testing/build-gateway.js';
import { anAgent, aServer } from '../testing/policy-builders.js';
import { ForwardedCalls, RevocableCall } from './forwarded-calls.js';

const agent = anAgent('alice');
const server = aServer('m', []);
const decidedBy = aSnapshot({ agents: [agent], servers: [server] });

test.each([
  ['the agent was switched off', aSnapshot({ agents: [{ ...agent, enabled: false }], servers: [server] }), 'auth.revoked_in_flight'],
  ['the key was revoked', aSnapshot({ agents: [{ ...agent, keys: [] }], servers: [server] }), 'auth.revoked_in_flight'],
  ['the server was switched off', aSnapshot({ agents: [agent], servers: [{ ...server, enabled: false }] }), 'policy.revoked_in_flight'],
  ['nothing of it changed', aSnapshot({ agents: [agent], servers: [server] }), undefined],
  ['nothing changed', decidedBy, undefined],
])('a call that was decided before %s ends as it begins, or not at all', (_what, live, code) => {
  const ended: GatewayError[] = [];
  const calls = new ForwardedCalls({ current: () => live });
  calls.add(new RevocableCall(agent.id, agent.keys[0]?.id ?? '', server.id, (reason) => ended.push(reason)), decidedBy);
  expect(ended.map((reason) => reason.code)).toEqual(code === undefined ? [] : [code]);
});

test.each([
  ['its issuer is trusted no more', [], 'auth.revoked_in_flight'],
  ['its issuer is trusted still', ['https://issuer.test'], undefined],
])('a call that was let in by an access token ends where %s', (_what, issuers, code) => {
  const called = { ...agent, identities: [{ issuer: 'https://issuer.test', subject: 'alice#1' }] };
  const tokenIssuers = issuers.map((issuer) => TokenIssuer.parse({ issuer }));
  const live = aSnapshot({ agents: [called], servers: [server], settings: { tokenIssuers } });
  const ended: string[] = [];
  const calls = new ForwardedCalls({ current: () => decidedBy });
  calls.add(new RevocableCall(agent.id, 'https://issuer.test#alice#1', server.id, (reason) => ended.push(reason.code)), decidedBy);
  calls.policyApplied({ ...live, changed: { settings: true, agentIds: new Set(), serverIds: new Set(), subjectIds: new Set() } });
  expect(ended).toEqual(code === undefined ? [] : [code]);
});
