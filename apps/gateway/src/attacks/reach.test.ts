import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { eventually } from '../testing/eventually.js';
import { aSnapshot } from '../testing/build-gateway.js';
import { mcpRequest, type Asked } from '../testing/mcp-message.js';
import { RawConnection } from '../testing/raw-connection.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.live.snapshot = aSnapshot(stage.policy);
  stage.upstream.answer = obey;
});

const eras = ['legacy', 'modern'] as const;
const ask = (method: string, asked: Asked): Promise<string> => stage.send(mcpRequest(method, asked));
const withoutDate = (answer: string): string => answer.replace(/Date: [^\r]*\r\n/i, '').replace(/mcp-session-id: [^\r]*\r\n/i, '');

/** Names of things that are there, beside names of the same length that nothing has. */
const names = {
  tool: ['run', 'nun'],
  prompt: ['greet', 'great'],
  resource: ['x://a', 'x://b'],
  made: ['x://t/1', 'x://u/1'],
  none: ['task-one', 'task-two'],
} as const;
type Pair = readonly [there: string, missing: string];

/** At every endpoint: of servers that the agent knows nothing of, of one that is disabled, and of none. */
function pairsAt(path: string, kind: keyof typeof names): readonly Pair[] {
  const [there, missing] = names[kind];
  if (path !== '/mcp' || (kind !== 'tool' && kind !== 'prompt')) return [[there, missing]];
  return ['m__', 'm:', 'l__', 'off__', 'nowhere__'].map((prefix): Pair => [prefix + there, prefix + missing]);
}

describe.each(eras)('nothing tells an agent what exists beyond its grants (%s)', (era) => {
  const attempts: [string, keyof typeof names, (name: string) => Record<string, unknown>][] = [
    ['tools/call', 'tool', (name) => ({ name, arguments: {} })],
    ['prompts/get', 'prompt', (name) => ({ name })],
    ['resources/read', 'resource', (uri) => ({ uri })],
    ['resources/read', 'made', (uri) => ({ uri })],
    ['resources/subscribe', 'resource', (uri) => ({ uri })],
    ['resources/subscribe', 'made', (uri) => ({ uri })],
    ['resources/unsubscribe', 'resource', (uri) => ({ uri })],
    ['completion/complete', 'prompt', (name) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } })],
    ['completion/complete', 'resource', (uri) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'a', value: '' } })],
    ['completion/complete', 'made', (uri) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'a', value: '' } })],
    ['tasks/get', 'none', (taskId) => ({ taskId })],
    ['tasks/cancel', 'none', (taskId) => ({ taskId })],
  ];

  test.each(attempts)('A40–A42: %s (%s) answers the same bytes for what is there and for what is not', async (method, kind, params) => {
    const [, bob, nobody] = stage.policy.agents;
    const answerTo = async (name: string, asked: Asked): Promise<string> =>
      withoutDate(await ask(method, { era, ...asked, params: params(name) })).replaceAll(name, 'NAME');
    for (const path of ['/mcp', '/servers/m/mcp', '/servers/l/mcp', '/servers/off/mcp', '/servers/nowhere/mcp']) {
      const since = stage.mark();
      for (const { token } of [bob, nobody]) {
        for (const [there, missing] of pairsAt(path, kind)) {
          const said = await answerTo(there, { token, path });
          expect(said).toBe(await answerTo(missing, { token, path }));
          await stage.unharmed('', said, since);
        }
      }
    }
  });

  test.each(attempts.filter(([method, kind]) => kind !== 'none' && !method.startsWith('resources/un')))(
    '%s (%s) is of something that is there: whoever may use it is answered otherwise',
    async (method, kind, params) => {
      if (era === 'modern' && method === 'resources/subscribe') return; // the modern era has no such method
      const [alice, , nobody] = stage.policy.agents;
      const [[name]] = pairsAt('/mcp', kind) as [Pair];
      const [may, mayNot] = await Promise.all([alice, nobody].map(({ token }) => ask(method, { era, token, params: params(name) })));
      expect(bodyOf(may ?? '')).not.toBe(bodyOf(mayNot ?? ''));
    },
  );

  test('A40: a resource and a prompt that exist answer as those that do not', async () => {
    const { token } = stage.policy.agents[1];
    const [there, missing] = await Promise.all(['x://a', 'x://b'].map((uri) => ask('resources/read', { era, token, params: { uri } })));
    expect(withoutDate(there ?? '').replaceAll('x://a', 'URI')).toBe(withoutDate(missing ?? '').replaceAll('x://b', 'URI'));
    const [prompt, none] = await Promise.all(['m__greet', 'm__great'].map((name) => ask('prompts/get', { era, token, params: { name } })));
    expect(withoutDate(prompt ?? '').replaceAll('m__greet', 'NAME')).toBe(withoutDate(none ?? '').replaceAll('m__great', 'NAME'));
  });

  test.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'server/discover', 'initialize', 'ping'])(
    'A41, A43: to an agent without grants %s says the same at every endpoint, and nothing of what exists',
    async (method) => {
      const { token } = stage.policy.agents[2];
      const params = method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } } : {};
      const paths = ['/mcp', '/servers/m/mcp', '/servers/off/mcp', '/servers/nowhere/mcp'];
      const answers = await Promise.all(paths.map((path) => ask(method, { era, token, path, params })));
      // Without the session's id, which is random and may read like anything.
      const said = answers.map(withoutDate);
      expect(new Set(said).size).toBe(1);
      expect(said.join('')).not.toMatch(/Instructions|"m"|run|walk|nextCursor|total/);
      const { result } = JSON.parse(bodyOf(answers[0] ?? '')) as { result?: Record<string, unknown> };
      if (era === 'modern' && method.endsWith('/list')) expect(result).toMatchObject({ cacheScope: 'private', ttlMs: 0 });
    },
  );

  test('A43: instructions are those of servers of which the agent sees something', async () => {
    const method = era === 'modern' ? 'server/discover' : 'initialize';
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } };
    const [alice, , nobody] = stage.policy.agents;
    expect(await ask(method, { era, token: alice.token, params })).toContain('Instructions of m');
    expect(await ask(method, { era, token: nobody.token, params })).not.toContain('Instructions');
  });

  test('A45: a busy or dead server shows to those who may use it alone', async () => {
    const [alice, bob] = stage.policy.agents;
    const unknown = await ask('tools/call', { era, token: bob.token, params: { name: 'm__nun' } });
    const [only, ...rest] = stage.policy.servers;
    stage.live.snapshot = aSnapshot({ ...stage.policy, servers: [{ ...only, limits: { ...only.limits, concurrency: 1 } }, ...rest] });
    const held: (() => void)[] = [];
    stage.upstream.answer = (exchange) => held.push(() => obey(exchange));
    const running = [ask('tools/call', { token: alice.token, params: { name: 'm__walk' } })];
    await eventually(() => expect(held).toHaveLength(1));
    expect(bodyOf(await ask('tools/call', { era, token: bob.token, params: { name: 'm__walk' } }))).toContain('"reason":"busy"');
    const busy = await ask('tools/call', { era, token: bob.token, params: { name: 'm__run' } });
    for (const release of held) release();
    await Promise.all(running);
    const [m, ...others] = stage.policy.servers;
    stage.live.snapshot = aSnapshot({ ...stage.policy, servers: [{ ...m, url: 'http://127.0.0.1:9/mcp' }, ...others] });
    const down = await ask('tools/call', { era, token: bob.token, params: { name: 'm__run' } });
    for (const answer of [busy, down]) expect(withoutDate(answer).replace('m__run', 'm__nun')).toBe(withoutDate(unknown));
  });
});

describe('A46: a grant that is taken away', () => {
  const revoked = () => aSnapshot({ ...stage.policy, grants: [] });
  const request = () => mcpRequest('tools/call', { params: { name: 'm__run' } });

  test('between list and call is gone for the call', async () => {
    expect(bodyOf(await stage.send(mcpRequest('tools/list')))).toContain('m__run');
    stage.live.snapshot = revoked();
    const since = stage.mark();
    const answer = await stage.send(request());
    expect(bodyOf(answer)).toContain('Unknown tool: m__run');
    await stage.unharmed('', answer, since);
  });

  test('while the call was still coming in is gone for the call', async () => {
    const [alice] = stage.policy.agents;
    const bytes = rawRequest({ token: alice.token, ...request() });
    const since = stage.mark();
    const connection = await RawConnection.open(stage.port);
    connection.socket.write(bytes.subarray(0, -5));
    await stage.send({}); // by now the node has read the beginning
    stage.live.snapshot = revoked();
    connection.socket.write(bytes.subarray(-5));
    expect(await connection.until(/\}\}$/)).toContain('Unknown tool: m__run');
    connection.socket.destroy();
    await stage.unharmed('', '', since);
  });

  test('while the call is at the server does not cut it off', async () => {
    let release = (): void => undefined;
    stage.upstream.answer = (exchange) => {
      release = () => obey(exchange);
    };
    const since = stage.mark();
    const answer = stage.send(request());
    await eventually(() => expect(stage.mark().calls).toBe(since.calls + 1));
    stage.live.snapshot = revoked();
    release();
    expect(statusOf(await answer)).toBe(200);
    expect(bodyOf(await answer)).toContain('"result"');
  });

  test('with the agent’s key ends its legacy session too (A60)', async () => {
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } };
    const id = /mcp-session-id: ([^\r]+)/i.exec(await stage.send(mcpRequest('initialize', { params })))?.[1];
    const ping = mcpRequest('ping', { headers: { 'Mcp-Session-Id': id } });
    expect(statusOf(await stage.send(ping))).toBe(200);
    const [alice, ...others] = stage.policy.agents;
    stage.live.snapshot = aSnapshot({ ...stage.policy, agents: [{ ...alice, keys: [] }, ...others] });
    const answer = await stage.send(ping);
    expect([statusOf(answer), bodyOf(answer)]).toEqual([401, '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Unauthorized"}}']);
  });
});
