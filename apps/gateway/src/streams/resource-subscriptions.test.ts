import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aSnapshot } from '../testing/build-gateway.js';
import { aDefinition, aGrant, anAgent, aServer } from '../testing/policy-builders.js';
import { AgentViews } from '../view/agent-views.js';
import { ChangeStream } from './change-stream.js';
import { ALL_LISTS } from './list-kinds.js';
import { ResourceSubscriptions } from './resource-subscriptions.js';

const alice = anAgent('alice');
const loud = aServer('loud', [aDefinition('resource_template', 'loud://{+path}')]);
const quiet = aServer('quiet', [aDefinition('resource', 'quiet://one')]);
const servers = [loud, quiet];
const live = aSnapshot({ servers, agents: [alice], grants: servers.map((one) => aGrant(alice, one, { kind: 'resources' })) });
let told: string[] = [];
let subscriptions: ResourceSubscriptions;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  subscriptions = new ResourceSubscriptions({
    policy: { current: () => live },
    views: new AgentViews(10),
    now: () => Date.now(),
    onWanted: () => undefined,
  });
  const facts = { agentId: alice.id, keyId: alice.keys[0]?.id ?? '', slug: null, listenId: 1, session: undefined, lists: ALL_LISTS };
  const stream = new ChangeStream({} as ServerResponse, facts);
  stream.tellUpdated = (uri) => void told.push(uri);
  subscriptions.set(stream, ['loud://a', 'quiet://one']);
});
afterEach(() => {
  subscriptions.close();
  vi.useRealTimers();
});

test('a server that says more than anybody can hear takes nothing from what another says', () => {
  for (let at = 0; at < 2000; at += 1) subscriptions.noteUpdated(loud.id, `loud://a/${String(at)}`);
  subscriptions.noteUpdated(quiet.id, 'quiet://one');
  vi.runAllTimers();
  expect(told).toContain('quiet://one');
  expect(told.length).toBeLessThanOrEqual(1001);
});

test('a change is told of to who asked for what it lies in, as deep as servers are, and no deeper: each part is looked up', () => {
  const below = `loud://a${'/b'.repeat(50)}`;
  subscriptions.noteUpdated(loud.id, below);
  subscriptions.noteUpdated(loud.id, `loud://a${'/b'.repeat(1000)}`);
  vi.runAllTimers();
  expect(told).toEqual([below]);
});
