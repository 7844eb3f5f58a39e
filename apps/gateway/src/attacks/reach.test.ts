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

/** What Bob may not use, under names of equal length: of a server he knows, of one he does not, of a disabled one, and of none. */
const names = { ungranted: 'm__run', 'of an ungranted server': 'l__run', 'in canonical form': 'm:runs', missing: 'q__run' };

describe.each(eras)('nothing tells an agent what exists beyond its grants (%s)', (era) => {
  const attempts: [string, (name: string) => Record<string, unknown>][] = [
    ['tools/call', (name) => ({ name, arguments: {} })],
    ['prompts/get', (name) => ({ name })],
    ['resources/read', (name) => ({ uri: `x://${name}` })],
    ['resources/subscribe', (name) => ({ uri: `x://${name}` })],
    ['resources/unsubscribe', (name) => ({ uri: `x://${name}` })],
    ['completion/complete', (name) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } })],
    ['tasks/get', (name) => ({ taskId: name })],
    ['tasks/cancel', (name) => ({ taskId: name })],
  ];

  test.each(attempts)('A40–A42: %s answers the same bytes for what is there and for what is not', async (method, params) => {
    for (const path of ['/mcp', '/servers/m/mcp', '/servers/l/mcp', '/servers/off/mcp', '/servers/nowhere/mcp']) {
      const since = stage.mark();
      const { token } = stage.policy.agents[2];
      const answers = await Promise.all(Object.values(names).map((name) => ask(method, { era, token, path, params: params(name) })));
      const said = new Set(answers.map((answer, at) => withoutDate(answer).replaceAll(Object.values(names)[at] ?? '', 'NAME')));
      expect([...said]).toHaveLength(1);
      await stage.unharmed('', answers.join('\n'), since);
    }
  });

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
      expect(new Set(answers.map(withoutDate)).size).toBe(1);
      expect(answers.join('')).not.toMatch(/Instructions|"m"|run|walk|nextCursor|total/);
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
