import { createSealer, deriveKey, newBearer } from '@portcullis/secrets';
import { TASK_KEY_AAD, TASK_KEY_PREFIX, TASK_KEY_PURPOSE } from '@portcullis/contracts/task-keys';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { TaskKeys } from '../caller/task-keys.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
const keyed = (id: string, fill: number) => ({ id, key: deriveKey(Buffer.alloc(32, fill), TASK_KEY_PURPOSE) });
let [current, previous] = [keyed('two', 2), keyed('one', 1)];
let sealer = createSealer({ current, previous });
const taskKeys = new TaskKeys(() => sealer);
function rotateTo(...keys: [typeof current, typeof current]): void {
  [current, previous] = keys;
  sealer = createSealer({ current, previous });
}
const built = buildGateway(undefined);
let now = Date.now();
const gateway = { ...built.gateway, taskKeys, now: () => now };
const server = aServer('one', [aTool('run'), aTool('walk'), aDefinition('prompt', 'greet')]);
const grants = [aGrant(alice, server), aGrant(alice, server, { kind: 'prompts' }), aGrant(bob, server)];
let listening: GatewayServer;

beforeAll(async () => {
  listening = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(() => listening.close(0));
beforeEach(() => {
  built.live.snapshot = aSnapshot({ servers: [server], agents: [alice, bob], grants });
  now = Date.now();
  rotateTo(keyed('two', 2), keyed('one', 1));
});

const send = (path: string, token: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${String(listening.port)}${path}`, {
    method: 'POST',
    headers: { ...mcpHeaders(token), ...headers },
    body: JSON.stringify(body),
  });
const exchange = (token: string, wish: object) => send('/task-keys', token, wish);
const keyFor = async (wish: object, token = alice.token): Promise<string> => ((await (await exchange(token, wish)).json()) as { key: string }).key;
const rpc = (token: string, method: string, params: object = {}, headers = {}) =>
  send('/mcp', token, { jsonrpc: '2.0', id: 1, method, params }, headers);
const tools = async (token: string): Promise<string[] | number> => {
  const response = await rpc(token, 'tools/list');
  if (response.status !== 200) return response.status;
  return ((await response.json()) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);
};

describe('a task key', () => {
  test('sees and may name only what the task needs, of every kind', async () => {
    const key = await keyFor({ task: 't', tools: ['one:run'] });
    expect(await tools(key)).toEqual(['one__run']);
    expect(((await (await rpc(key, 'prompts/list')).json()) as { result: { prompts: [] } }).result.prompts).toEqual([]);
    const refusals = [
      ['tools/call', { name: 'one__walk' }],
      ['prompts/get', { name: 'one__greet' }],
      ['completion/complete', { ref: { type: 'ref/prompt', name: 'one__greet' }, argument: { name: 'a', value: '' } }],
    ] as const;
    for (const [method, params] of refusals) expect(await (await rpc(key, method, params)).text()).toMatch(/Unknown (tool|prompt)/);
  });

  test('ends with its time, with its parent key, and with its agent', async () => {
    const key = await keyFor({ task: 't', servers: ['one'], ttlSeconds: 60 });
    expect(await tools(key)).toHaveLength(2);
    now += 60_000;
    expect(await tools(key)).toBe(401);
    now -= 60_000;
    const [own] = alice.keys;
    if (own === undefined) throw new Error('Alice has no key');
    const ends = [
      { ...alice, keys: [] },
      { ...alice, keys: [{ ...own, expiresAt: now }] },
      { ...alice, enabled: false },
    ];
    for (const agent of ends) {
      built.live.snapshot = aSnapshot({ servers: [server], agents: [agent, bob], grants });
      expect(await tools(key)).toBe(401);
    }
    // The id of a key that another agent has by now is no parent.
    built.live.snapshot = aSnapshot({
      servers: [server],
      agents: [
        { ...alice, keys: [] },
        { ...bob, keys: [...bob.keys, own] },
      ],
      grants,
    });
    expect(await tools(key)).toBe(401);
  });

  test('makes no wider and no longer one', async () => {
    const key = await keyFor({ task: 't', tools: ['one:run'], ttlSeconds: 60 });
    const wider = (await (await exchange(key, { task: 'u', servers: ['*'], tools: ['*:*'], ttlSeconds: 86_400 })).json()) as Record<string, string>;
    expect(await tools(wider['key'] ?? '')).toEqual(['one__run']);
    expect(Date.parse(wider['expiresAt'] ?? '')).toBeLessThanOrEqual(now + 60_000);
    expect(await tools(await keyFor({ task: 'v', tools: ['one:walk'] }, key))).toEqual([]);
    now += 60_000;
    expect((await exchange(key, { task: 'w', servers: ['*'] })).status).toBe(401);
    expect(await tools(wider['key'] ?? '')).toBe(401);
  });

  test('follows what its agent loses', async () => {
    const key = await keyFor({ task: 't', servers: ['*'] });
    built.live.snapshot = aSnapshot({ servers: [server], agents: [alice, bob], grants: [] });
    expect(await tools(key)).toEqual([]);
  });

  test('that is forged, changed, cut, of other keys or of another purpose opens nothing', async () => {
    const key = await keyFor({ task: 't', servers: ['*'] });
    const sealed = key.slice(TASK_KEY_PREFIX.length);
    const content = JSON.stringify({
      id: 'x',
      agentId: alice.id,
      parentKeyId: alice.keys[0]?.id,
      task: 't',
      expiresAt: now + 1e6,
      within: [{ servers: ['*'] }],
    });
    const foreign = createSealer({ current: keyed('two', 9) });
    const forged = [
      `${key}A`,
      key.slice(0, -4),
      `${key.slice(0, -8)}AAAAAAAA`,
      TASK_KEY_PREFIX,
      `${TASK_KEY_PREFIX}${'A'.repeat(5000)}`,
      sealed,
      `gw_${sealed}`,
      TASK_KEY_PREFIX + foreign.seal(content, TASK_KEY_AAD),
      TASK_KEY_PREFIX + createSealer({ current }).seal(content, 'legacy-session|1'),
      TASK_KEY_PREFIX + createSealer({ current: { id: 'two', key: Buffer.alloc(32, 2) } }).seal(content, TASK_KEY_AAD),
      newBearer('operator').token,
    ];
    for (const one of forged) expect(await tools(one), one.slice(0, 60)).toBe(401);
    expect(await tools(TASK_KEY_PREFIX + createSealer({ current }).seal(content, TASK_KEY_AAD))).toHaveLength(2);
  });

  test('stays good for one change of the keys that seal it, and no longer', async () => {
    const key = await keyFor({ task: 't', servers: ['one'] });
    rotateTo(keyed('three', 3), current);
    expect(await tools(key)).toHaveLength(2);
    rotateTo(keyed('four', 4), current);
    expect(await tools(key)).toBe(401);
  });

  test('and its agent have no session in common', async () => {
    const key = await keyFor({ task: 't', tools: ['one:run'] });
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const sessionOf = async (token: string) => (await rpc(token, 'initialize', params)).headers.get('mcp-session-id') ?? '';
    const [own, ofTask] = [await sessionOf(alice.token), await sessionOf(key)];
    const other = await keyFor({ task: 't', tools: ['one:run'] });
    for (const [token, session, status] of [
      [alice.token, own, 200],
      [key, ofTask, 200],
      [key, own, 404],
      [alice.token, ofTask, 404],
      [other, ofTask, 404],
    ] as const)
      expect((await rpc(token, 'tools/list', {}, { 'mcp-session-id': session })).status).toBe(status);
  });
});

describe('the exchange', () => {
  test.each([
    ['nothing named', { task: 't' }],
    ['no task', { servers: ['*'] }],
    ['too long', { task: 't', servers: ['*'], ttlSeconds: 86_401 }],
    ['no time', { task: 't', servers: ['*'], ttlSeconds: 0 }],
    ['a tool without its server', { task: 't', tools: ['run'] }],
    ['an unknown member', { task: 't', servers: ['*'], agentId: bob.id }],
    ['a task with a line break', { task: 't\nu', servers: ['*'] }],
  ])('refuses %s', async (_what, wish) => {
    expect((await exchange(alice.token, wish)).status).toBe(400);
  });

  test('needs a key, a POST and no more names than fit', async () => {
    expect((await exchange('gw_x', { task: 't', servers: ['*'] })).status).toBe(401);
    const url = `http://127.0.0.1:${String(listening.port)}/task-keys`;
    expect((await fetch(url, { headers: { authorization: `Bearer ${alice.token}` } })).status).toBe(405);
    const many = Array.from({ length: 64 }, (_, at) => `one:${String(at).padEnd(190, 'x')}`);
    expect((await exchange(alice.token, { task: 't', tools: many })).status).toBe(413);
  });

  test('is on record with its task and without the key', async () => {
    built.events.length = 0;
    const key = await keyFor({ task: 'ticket-1', tools: ['one:run'] });
    expect(built.events).toEqual([expect.objectContaining({ method: 'task-keys/create', agent: 'alice', task: 'ticket-1', status: 'success' })]);
    expect(JSON.stringify(built.events)).not.toContain(key.slice(-40));
  });
});
