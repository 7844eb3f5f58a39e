import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { mcpHeaders } from './testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from './testing/policy-builders.js';
import type { Policy } from './testing/policy-publisher.js';
import { startTestStack, type TestStack } from './testing/test-stack.js';
import { serverTools, startLegacyServer, startModernServer, type TestServer } from './testing/upstream-servers.js';

let stack: TestStack;
let legacyServer: TestServer;
let modernServer: TestServer;
let policy: Policy;

const alice = anAgent('alice');
const bob = anAgent('bob');

beforeAll(async () => {
  [legacyServer, modernServer, stack] = await Promise.all([startLegacyServer(), startModernServer(), startTestStack(2)]);
  const old = aServer('old', serverTools, { url: legacyServer.url, era: 'legacy' });
  const fresh = aServer('new', serverTools, { url: modernServer.url, era: 'modern' });
  const many = aServer(
    'many',
    Array.from({ length: 1200 }, (_, at) => aTool(`tool_${String(at).padStart(4, '0')}`)),
  );
  const off = aServer('off', [aTool('hidden')], { enabled: false });
  policy = {
    servers: [old, fresh, many, off],
    agents: [alice, bob],
    grants: [
      aGrant(alice, old),
      aGrant(alice, fresh, { names: ['echo', 'fail', 'count'] }),
      aGrant(alice, off),
      aGrant(bob, many),
      aGrant(bob, old, { names: ['fail'] }),
    ],
    settings,
  };
  await stack.publish(policy);
});
afterAll(async () => {
  await Promise.all([stack.stop(), legacyServer.close(), modernServer.close()]);
});

const address = (node: number, path = '/mcp'): URL => new URL(path, stack.urls[node]);
const headersOf = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

async function legacyClient(token: string, node = 0, path?: string): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'test', version: '1' });
  await client.connect(new LegacyTransport(address(node, path), headersOf(token)));
  return client;
}
async function modernClient(token: string, node = 0, path?: string): Promise<ModernClient> {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(address(node, path), headersOf(token)));
  return client;
}
const clients = { legacy: legacyClient, modern: modernClient };
const eras = ['legacy', 'modern'] as const;

describe.each(eras)('an agent with a %s client', (era) => {
  const connect = clients[era];

  test('sees exactly the tools it was granted', async () => {
    const client = await connect(alice.token);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['new__count', 'new__echo', 'new__fail', 'old__count', 'old__echo', 'old__fail']);
    await client.close();
  });

  test.each(['old', 'new'])('calls a tool of the server %s', async (slug) => {
    const client = await connect(alice.token, 1);
    const answer = await client.callTool({ name: `${slug}__echo`, arguments: { text: 'héllo' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'héllo' }]);
    expect(await client.callTool({ name: `${slug}:fail` })).toMatchObject({ isError: true });
    await client.close();
  });

  test.each(['old', 'new'])('is told of the progress at the server %s under its own token', async (slug) => {
    const client = await connect(alice.token);
    const seen: number[] = [];
    const answer =
      client instanceof LegacyClient
        ? await client.callTool({ name: `${slug}__count`, arguments: {} }, undefined, { onprogress: ({ progress }) => seen.push(progress) })
        : await client.callTool({ name: `${slug}__count`, arguments: {} }, { onprogress: ({ progress }) => seen.push(progress) });
    expect(answer.content).toEqual([{ type: 'text', text: 'counted' }]);
    expect(seen).toEqual([1, 2, 3]);
    await client.close();
  });

  test('sees one server under its own names at that server’s endpoint', async () => {
    const client = await connect(alice.token, 0, '/servers/old/mcp');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['count', 'echo', 'fail']);
    expect((await client.callTool({ name: 'echo', arguments: { text: 'x' } })).content).toEqual([{ type: 'text', text: 'x' }]);
    await client.close();
  });
});

/** One request as it stands, without a client library. */
async function post(
  node: number,
  request: { token?: string; path?: string; era?: 'legacy' | 'modern'; headers?: Record<string, string>; body: object },
) {
  const { token = alice.token, path = '/mcp', era = 'legacy', headers = {}, body } = request;
  const message = { jsonrpc: '2.0', id: 1, ...body } as unknown as { method: string; params?: { name?: string; _meta?: object } };
  const modern: Record<string, string> = {};
  if (era === 'modern') {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      ...message.params?._meta,
    };
    message.params = { ...message.params, _meta };
    modern['mcp-protocol-version'] = '2026-07-28';
    modern['mcp-method'] = message.method;
    if (message.params.name !== undefined) modern['mcp-name'] = message.params.name;
  }
  const response = await fetch(address(node, path), {
    method: 'POST',
    headers: {
      ...mcpHeaders(token),
      ...modern,
      ...headers,
    },
    body: JSON.stringify(message),
  });
  const received = Object.fromEntries([...response.headers].filter(([name]) => name !== 'date' && name !== 'mcp-session-id'));
  return { status: response.status, headers: received, text: await response.text(), sessionId: response.headers.get('mcp-session-id') };
}

const call = (name: string, args: object = {}) => ({ method: 'tools/call', params: { name, arguments: args } });

describe.each(eras)('what an agent may not use (%s)', (era) => {
  test.each([
    ['not granted', 'many__tool_0001'],
    ['not granted, canonical form', 'many:tool_0001'],
    ['of a disabled server', 'off__hidden'],
    ['not approved', 'old__secret'],
  ])('a tool that is %s answers exactly like an unknown one', async (_why, name) => {
    const unknown = 'x'.repeat(name.length);
    const [denied, missing] = await Promise.all([post(0, { era, body: call(name) }), post(0, { era, body: call(unknown) })]);
    expect(denied).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(denied.text).toBe(`{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool: ${name}"}}`);
    expect({ ...denied, text: denied.text.replace(name, unknown) }).toEqual(missing);
  });

  test.each([['many'], ['off'], ['nowhere']])('the endpoint of the server %s offers nothing and answers like any other', async (slug) => {
    const path = `/servers/${slug}/mcp`;
    expect(JSON.parse((await post(0, { era, path, body: { method: 'tools/list', params: {} } })).text)).toMatchObject({ result: { tools: [] } });
    const answers = await Promise.all(['tool_0001', 'hidden', 'echo'].map((name) => post(0, { era, path, body: call(name) })));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('-32602') as unknown });
  });

  test('a method nobody knows is refused as the era says', async () => {
    const answer = await post(0, { era, body: { method: 'tools/destroy', params: {} } });
    expect(answer).toMatchObject({
      status: era === 'modern' ? 404 : 200,
      text: '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}',
    });
  });
});

describe('lists', () => {
  test.each(eras)('of many tools come in pages that any node continues (%s)', async (era) => {
    const names: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const answer = await post(pages % 2, { token: bob.token, era, body: { method: 'tools/list', params: cursor === undefined ? {} : { cursor } } });
      const { result } = JSON.parse(answer.text) as { result: { tools: { name: string }[]; nextCursor?: string; cacheScope?: string } };
      names.push(...result.tools.map(({ name }) => name));
      expect(result.cacheScope).toBe(era === 'modern' ? 'private' : undefined);
      cursor = result.nextCursor;
      pages += 1;
    } while (cursor !== undefined);
    expect(pages).toBe(3);
    expect(new Set(names).size).toBe(1201);
  });

  test('refuse a cursor that is forged or another agent’s', async () => {
    const first = await post(0, { token: bob.token, body: { method: 'tools/list' } });
    const { result } = JSON.parse(first.text) as { result: { nextCursor: string } };
    for (const [token, cursor] of [
      [alice.token, result.nextCursor],
      [bob.token, `${result.nextCursor}x`],
      [bob.token, ''],
      [bob.token, 5],
    ]) {
      const answer = await post(0, { token: String(token), body: { method: 'tools/list', params: { cursor } } });
      expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('-32602') as unknown });
    }
  });
});

describe('legacy sessions', () => {
  const initialize = { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } } };
  const started = async () => (await post(0, { body: initialize })).sessionId ?? '';

  test('open on every node, for their agent alone', async () => {
    const id = await started();
    expect(await post(1, { headers: { 'mcp-session-id': id }, body: { method: 'ping' } })).toMatchObject({ status: 200 });
    const foreign = await post(1, { token: bob.token, headers: { 'mcp-session-id': id }, body: { method: 'ping' } });
    const invented = await post(1, { headers: { 'mcp-session-id': 'no-such-session' }, body: { method: 'ping' } });
    expect(foreign).toMatchObject({ status: 404 });
    expect(foreign).toEqual(invented);
  });

  test('end on every node when their client ends them', async () => {
    const id = await started();
    const headers = { authorization: `Bearer ${alice.token}`, 'mcp-session-id': id };
    expect((await fetch(address(0), { method: 'DELETE', headers })).status).toBe(200);
    await vi.waitFor(async () => {
      expect(await post(1, { headers: { 'mcp-session-id': id }, body: { method: 'ping' } })).toMatchObject({ status: 404 });
    }, 10_000);
    expect((await fetch(address(0), { method: 'DELETE', headers })).status).toBe(404);
  });

  test('are not needed', async () => {
    expect(await post(0, { body: call('old__echo', { text: 'no session' }) })).toMatchObject({
      status: 200,
      text: expect.stringContaining('no session') as unknown,
    });
  });

  test('at a server are shared by nodes, never by agents, and made anew unseen when the server forgets them', async () => {
    legacyServer.requests.length = 0;
    await post(0, { body: call('old__fail') });
    await post(1, { body: call('old__fail') });
    await post(0, { token: bob.token, body: call('old__fail') });
    const idsOf = () =>
      new Set(legacyServer.requests.filter(({ body }) => body.includes('tools/call')).map(({ headers }) => headers['mcp-session-id']));
    expect(idsOf().size).toBe(2);
    legacyServer.forgetSessions();
    expect(await post(0, { body: call('old__fail') })).toMatchObject({ status: 200, text: expect.stringContaining('It failed') as unknown });
  });
});

describe('what reaches a server', () => {
  test('is nothing of the agent’s connection', async () => {
    modernServer.requests.length = 0;
    await post(0, { headers: { cookie: 'a=b', 'x-secret': 'c' }, body: call('new__echo', { text: 'x' }) });
    const [request] = modernServer.requests;
    expect(request?.headers['mcp-name']).toBe('echo');
    for (const name of ['authorization', 'cookie', 'x-secret']) expect(request?.headers[name]).toBeUndefined();
    expect(JSON.stringify(modernServer.requests)).not.toContain(alice.token);
  });
});

describe('the audit trail', () => {
  test('has an intent and an outcome of each call, and one row of each refusal', async () => {
    const text = `marked ${String(Math.random())}`;
    await post(0, { body: call('old__echo', { text }) });
    await post(0, { body: call('nowhere__at_all', { text }) });
    await vi.waitFor(async () => {
      const marked = (await stack.events()).filter(({ arguments: kept }) => kept !== null && Buffer.from(kept, 'base64').includes(text));
      const intent = marked.find(({ phase }) => phase === 'intent');
      const refusal = marked.find(({ phase }) => phase === 'single');
      const outcome = (await stack.events()).find((event) => event.callId === intent?.callId && event.phase === 'outcome');
      expect(intent).toMatchObject({ agent: 'alice', server: 'old', tool: 'echo', decision: 'allow', status: 'pending' });
      expect(outcome).toMatchObject({ server: 'old', tool: 'echo', status: 'success', grantId: intent?.grantId, arguments: null });
      expect(refusal).toMatchObject({ agent: 'alice', tool: 'nowhere__at_all', decision: 'deny', status: 'denied', reason: 'unknown_server' });
    }, 10_000);
  });
});

describe('a change of policy', () => {
  test('is gone from both nodes at once, for clients that stay connected', async () => {
    const held = await Promise.all([legacyClient(alice.token, 0), modernClient(alice.token, 1)]);
    await stack.publish({ ...policy, grants: policy.grants.slice(1) });
    for (const client of held) {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['new__count', 'new__echo', 'new__fail']);
      await expect(client.callTool({ name: 'old__echo', arguments: { text: 'x' } })).rejects.toThrow('Unknown tool: old__echo');
      await client.close();
    }
    await stack.publish({ ...policy, agents: [bob] });
    for (const node of [0, 1]) expect(await post(node, { body: { method: 'ping' } })).toMatchObject({ status: 401 });
    await stack.publish(policy);
  });

  test('that a caller has seen is not undercut by a node that has not', async () => {
    const answer = await post(0, { headers: { 'x-min-policy-revision': '999999' }, body: { method: 'ping' } });
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, text: expect.stringContaining('policy_behind') as unknown });
  });
});
