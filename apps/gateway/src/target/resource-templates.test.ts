import type { GrantEntry } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { aSnapshot } from '../testing/build-gateway.js';
import { eventually } from '../testing/eventually.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { aDefinition, aGrant, aServer } from '../testing/policy-builders.js';
import { RawConnection } from '../testing/raw-connection.js';
import { bodyOf } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';

let stage: AttackStage;
let forwarded: unknown[] = [];
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.events.length = 0;
  forwarded = [];
  stage.upstream.answer = (exchange) => {
    forwarded.push(exchange.message.params?.['uri']);
    obey(exchange);
  };
});

/** Alice may use what comes from the template, less what is taken away. */
function granted(...grants: Partial<GrantEntry>[]): GrantEntry[] {
  const [alice] = stage.policy.agents;
  const docs = aServer('docs', [aDefinition('resource_template', 'file:///docs/{name}')], { url: stage.upstream.url, era: 'modern' });
  const held = [{ names: ['file:///docs/{name}'] }, ...grants].map((grant) => aGrant(alice, docs, { kind: 'resources', ...grant }));
  stage.live.snapshot = aSnapshot({ servers: [docs], agents: [alice], grants: held });
  return held;
}

const read = async (uri: string): Promise<string> => bodyOf(await stage.send(mcpRequest('resources/read', { era: 'modern', params: { uri } })));
const rows = () => stage.events.map(({ tool, server, decision, phase, reason }) => ({ tool, server, decision, phase, reason }));

describe('what was asked for through a template is on record as it was asked', () => {
  test('when it was read', async () => {
    const [template] = granted();
    await read('file:///docs/one');
    const row = { tool: 'file:///docs/one', server: 'docs', decision: 'allow', reason: 'granted' };
    expect(rows()).toEqual([
      { ...row, phase: 'intent' },
      { ...row, phase: 'outcome' },
    ]);
    expect(stage.events[0]).toMatchObject({ grantId: template?.id, definitionHash: aDefinition('resource_template', 'file:///docs/{name}').hash });
  });

  test('when it was refused, with the grant', async () => {
    const [, deny] = granted({ names: ['file:///docs/one'], effect: 'deny' });
    expect(await read('file:///docs/one')).toContain('Resource not found');
    expect(rows()).toEqual([{ tool: 'file:///docs/one', server: 'docs', decision: 'deny', phase: 'single', reason: 'denied_by_grant' }]);
    expect(stage.events[0]?.grantId).toBe(deny?.id);
  });

  test('when changes of it were asked for, in both eras, each resource in a row of its own', async () => {
    granted({ names: ['file:///docs/two'], effect: 'deny' });
    const [alice] = stage.policy.agents;
    for (const name of ['one', 'two']) await stage.send(mcpRequest('resources/subscribe', { params: { uri: `file:///docs/${name}` } }));
    expect(rows().map(({ tool, decision }) => [tool, decision])).toEqual([
      ['file:///docs/one', 'allow'],
      ['file:///docs/two', 'deny'],
    ]);
    stage.events.length = 0;
    const uris = ['file:///docs/one', 'file:///docs/two', 'mem:x'];
    const listen = mcpRequest('subscriptions/listen', { era: 'modern', params: { notifications: { resourceSubscriptions: uris } } });
    const connection = await RawConnection.open(stage.port);
    connection.socket.write(rawRequest({ token: alice.token, ...listen }));
    expect(await connection.until(/acknowledged.*\}/)).toContain('"resourceSubscriptions":["file:///docs/one"]');
    connection.socket.destroy();
    expect(stage.events.filter(({ tool }) => tool !== null)).toMatchObject([
      { tool: 'file:///docs/one', decision: 'allow', status: 'success', method: 'subscriptions/listen' },
      { tool: 'file:///docs/two', decision: 'deny', status: 'denied', reason: 'denied_by_grant' },
      { tool: 'mem:x', decision: 'deny', status: 'denied', reason: 'not_offered' },
    ]);
    await eventually(() => expect(stage.gateway.streams.size).toBe(0));
  });
});

test('a shadow denial of the URI is on record for whoever reads it or asks for its changes', async () => {
  const [, shadow] = granted({ names: ['file:///docs/one'], effect: 'deny', mode: 'shadow' });
  await read('file:///docs/one');
  await stage.send(mcpRequest('resources/subscribe', { params: { uri: 'file:///docs/one' } }));
  await read('file:///docs/other');
  const told = stage.events.map(({ phase, tool, shadowDecision, shadowGrantId }) => [phase, tool, shadowDecision, shadowGrantId]);
  expect(told.filter(([phase]) => phase !== 'outcome')).toEqual([
    ['intent', 'file:///docs/one', 'deny', shadow?.id],
    ['single', 'file:///docs/one', 'deny', shadow?.id],
    ['intent', 'file:///docs/other', null, null],
  ]);
});

describe('a denied URI is not had by another spelling', () => {
  test.each([
    'file:///docs/%73ecret',
    'file:///docs/./secret',
    'file:///docs/x/../secret',
    'file:///docs/x/%2e%2e/secret',
    'file:///docs/sec\tret',
    'file:///docs\\secret',
    'FILE:///docs/secret',
  ])('%j is an unknown resource, and goes nowhere', async (uri) => {
    granted({ names: ['file:///docs/secret'], effect: 'deny' });
    const since = stage.mark();
    const answer = await read(uri);
    expect(answer).toBe((await read('mem:nothing')).replace('mem:nothing', JSON.stringify(uri).slice(1, -1)));
    expect(forwarded).toEqual([]);
    await stage.unharmed('', answer, since);
  });

  test('and what is in its normal form goes on as it was asked', async () => {
    granted({ names: ['file:///docs/secret'], effect: 'deny' });
    for (const uri of ['file:///docs/a%20b', 'file:///docs/SECRET', 'file:///docs/%E2%82%AC']) await read(uri);
    expect(forwarded).toEqual(['file:///docs/a%20b', 'file:///docs/SECRET', 'file:///docs/%E2%82%AC']);
  });
});
