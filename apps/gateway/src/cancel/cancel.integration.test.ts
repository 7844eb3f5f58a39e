import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { HeldCalls } from '../testing/held-calls.js';
import { mcpHeaders, modernHeaders, modernMeta } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
let stack: TestStack;
let upstream: ScriptedServer;
const calls = new HeldCalls();
const { held, told } = calls;

beforeAll(async () => {
  [stack, upstream] = await Promise.all([startTestStack(2), startScriptedServer()]);
  upstream.answer = calls.answer;
  const servers = (['legacy', 'modern'] as const).map((era) => aServer(era, [aTool('wait')], { url: upstream.url, era }));
  const grants = servers.flatMap((server) => [aGrant(alice, server), aGrant(bob, server)]);
  await stack.publish({ servers, agents: [alice, bob], grants, settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), upstream.close()]);
});
afterEach(() => calls.drop());

function post(
  node: number,
  body: object,
  options: { token?: string; session?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const { token = alice.token, session, headers = {}, signal } = options;
  return fetch(`${stack.urls[node] ?? ''}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(token),
      ...(session !== undefined && { 'mcp-session-id': session }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    ...(signal !== undefined && { signal }),
  });
}
const call = (name: string, id: string | number = 1) => ({ id, method: 'tools/call', params: { name } });
const cancel = (requestId: unknown) => ({ method: 'notifications/cancelled', params: { requestId } });

async function openSession(token = alice.token): Promise<string> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const response = await post(0, { id: 0, method: 'initialize', params }, { token });
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

const outcomes = async () => (await stack.events()).filter(({ phase }) => phase === 'outcome').map(({ agent, status }) => `${agent ?? ''} ${status}`);

describe.each([0, 1])('a call cancelled through node %i', (node) => {
  test('of a legacy server: the server is told, by the id and in the session it knows', async () => {
    const session = await openSession();
    const answer = post(0, call('legacy__wait'), { session });
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
    expect((await post(node, cancel(1), { session })).status).toBe(202);
    await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
    expect(told[0]).toEqual({ session: held[0]?.request.headers['mcp-session-id'], requestId: held[0]?.message.id });
    expect(told[0]?.session).toMatch(/^session-/);
    expect(await (await answer).text()).toBe('');
    await vi.waitFor(async () => expect((await outcomes()).at(-1)).toBe('alice cancelled'), 10_000);
  });

  test('of a modern server: its stream is closed, and it is told nothing', async () => {
    const session = await openSession();
    const answer = post(0, call('modern__wait', 'a'), { session });
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
    await post(node, cancel('a'), { session });
    await vi.waitFor(() => expect(held[0]?.closed).toBe(true), 10_000);
    expect(await (await answer).text()).toBe('');
    expect(told).toEqual([]);
  });

  test('by an official client', async () => {
    const client = new LegacyClient({ name: 'test', version: '1' });
    const fetchAnywhere = (url: string | URL, init?: RequestInit): Promise<Response> => {
      const isCancel = typeof init?.body === 'string' && init.body.includes('notifications/cancelled');
      return fetch(new URL('/mcp', stack.urls[isCancel ? node : 0]), init);
    };
    await client.connect(
      new LegacyTransport(new URL('/mcp', stack.urls[0]), {
        fetch: fetchAnywhere,
        requestInit: { headers: { authorization: `Bearer ${alice.token}` } },
      }),
    );
    const leaving = new AbortController();
    const answer = client.callTool({ name: 'legacy__wait' }, undefined, { signal: leaving.signal });
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(told.map(({ requestId }) => requestId)).toEqual([held[0]?.message.id]), 10_000);
    await client.close();
  });
});

describe.each(['legacy', 'modern'] as const)('a modern client that hangs up on a %s server', (era) => {
  test('cancels', async () => {
    const leaving = new AbortController();
    const name = `${era}__wait`;
    const headers = modernHeaders('tools/call', name);
    const answer = post(0, { id: 1, method: 'tools/call', params: { name, _meta: modernMeta } }, { headers, signal: leaving.signal });
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(held[0]?.closed).toBe(true), 10_000);
    if (era === 'legacy') await vi.waitFor(() => expect(told).toEqual([expect.objectContaining({ requestId: held[0]?.message.id })]), 10_000);
  });
});

test('nobody cancels the call of another: not by its id, nor in its session, nor under an id of another type', async () => {
  const [mine, foreign] = [await openSession(), await openSession(bob.token)];
  const answer = post(0, call('legacy__wait'), { session: mine });
  await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
  for (const node of [0, 1]) {
    expect((await post(node, cancel(1), { session: foreign, token: bob.token })).status).toBe(202);
    expect((await post(node, cancel(1), { token: bob.token })).status).toBe(202);
    expect((await post(node, cancel(1), { session: mine, token: bob.token })).status).toBe(404);
    expect((await post(node, cancel('1'), { session: mine })).status).toBe(202);
    expect((await post(node, cancel(1))).status).toBe(202);
    const headers = modernHeaders('notifications/cancelled');
    expect((await post(node, cancel(1), { headers })).status).toBe(202);
  }
  // Whatever those cancels set off has come and gone once another session's cancel, sent after them, has taken effect.
  const other = post(0, call('modern__wait', 2), { session: foreign, token: bob.token });
  await vi.waitFor(() => expect(held).toHaveLength(2), 10_000);
  await post(1, cancel(2), { session: foreign, token: bob.token });
  expect(await (await other).text()).toBe('');
  held[0]?.json({ jsonrpc: '2.0', id: held[0].message.id, result: { content: [] } });
  expect(await (await answer).json()).toMatchObject({ id: 1, result: { content: [] } });
  expect(told).toEqual([]);
});

test('a forged, stale or unreadable message on the channel cancels nothing', async () => {
  const session = await openSession();
  const answer = post(0, call('legacy__wait'), { session });
  await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
  for (const message of ['', '[]', 'v1.x.y', JSON.stringify([`${alice.id} - n1`, Date.now()])])
    await stack.redis.publish('portcullis:cancel', message);
  held[0]?.json({ jsonrpc: '2.0', id: held[0].message.id, result: { content: [] } });
  expect(await (await answer).json()).toMatchObject({ id: 1, result: { content: [] } });
});
