import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import type { Policy } from '../testing/policy-publisher.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

let stack: TestStack;
const alice = anAgent('alice');
const bob = anAgent('bob');
const carol = anAgent('carol');
const dave = anAgent('dave');
const notes = aServer('notes', [aTool('read'), aTool('write'), aDefinition('resource', 'notes://one')]);
const other = aServer('other', [aTool('look')]);
const base: Policy = {
  servers: [notes, other],
  agents: [alice, bob, carol, dave],
  grants: [aGrant(alice, notes), aGrant(alice, notes, { kind: 'resources' }), aGrant(bob, other), aGrant(carol, notes, { names: ['read'] })],
  settings,
};
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  stack = await startTestStack(2);
  await stack.publish(base);
});
afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
  await stack.stop();
});

const address = (node: number): URL => new URL('/mcp', stack.urls[node]);
const init = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

interface Listener {
  readonly heard: string[];
  readonly close: () => Promise<void>;
}

/** A client of the legacy era, once its GET stream is open. */
async function legacyListener(token: string, node: number): Promise<Listener> {
  const heard: string[] = [];
  const client = new LegacyClient({ name: 'test', version: '1' });
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'));
  const opened = Promise.withResolvers<void>();
  const watched: typeof fetch = async (url, request) => {
    const response = await fetch(url, request);
    if (request?.method === 'GET' && response.ok) opened.resolve();
    return response;
  };
  await client.connect(new LegacyTransport(address(node), { ...init(token), fetch: watched }));
  await opened.promise;
  closers.push(() => client.close());
  return { heard, close: () => client.close() };
}

async function modernListener(token: string, node: number): Promise<Listener & { closed: Promise<string> }> {
  const heard: string[] = [];
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
  await client.connect(new ModernTransport(address(node), init(token)));
  const subscription = await client.listen({ toolsListChanged: true });
  closers.push(() => client.close());
  return { heard, close: () => subscription.close(), closed: subscription.closed };
}

async function openedStreams(node: number): Promise<number> {
  const text = await (await fetch(`${stack.healthUrls[node] ?? ''}/metrics`)).text();
  return Number(/^\S*change_streams(?:{[^}]*})? (\d+)/m.exec(text)?.[1] ?? NaN);
}

const withGrants = (...grants: Policy['grants'][number][]): Policy => ({ ...base, grants: [...base.grants, ...grants] });

test('a grant and its end reach the open streams of exactly the agents whose lists change, in both eras and on both nodes', async () => {
  const touched = await Promise.all([legacyListener(bob.token, 0), modernListener(bob.token, 1), modernListener(bob.token, 0)]);
  const untouched = await Promise.all([legacyListener(alice.token, 0), modernListener(alice.token, 1), modernListener(carol.token, 0)]);
  await stack.publish(withGrants(aGrant(bob, notes)));
  await vi.waitFor(() => expect(touched.map(({ heard }) => heard)).toEqual([['tools'], ['tools'], ['tools']]), { timeout: 10_000 });
  await stack.publish(base);
  await vi.waitFor(() => expect(touched.map(({ heard }) => heard.length)).toEqual([2, 2, 2]), { timeout: 10_000 });
  // A tool that leaves a list of theirs reaches them: nothing else did before, and messages keep their order.
  await stack.publish({ ...base, servers: [{ ...notes, definitions: notes.definitions.slice(1) }, other] });
  await vi.waitFor(() => expect(untouched.map(({ heard }) => heard)).toEqual([['tools'], ['tools'], ['tools']]), { timeout: 10_000 });
  await stack.publish(base);
  await vi.waitFor(() => expect(untouched.map(({ heard }) => heard.length)).toEqual([2, 2, 2]), { timeout: 10_000 });
  expect(touched.map(({ heard }) => heard.length)).toEqual([2, 2, 2]);
  await Promise.all([...touched, ...untouched].map((listener) => listener.close()));
});

test('a grant that begins and ends by the clock alone is told of', async () => {
  const listener = await modernListener(bob.token, 0);
  const start = Date.now() + 1500;
  await stack.publish(withGrants(aGrant(bob, notes, { notBefore: start, expiresAt: start + 2000 })));
  await vi.waitFor(() => expect(listener.heard.length).toBe(1), { timeout: 10_000 });
  expect(Date.now()).toBeGreaterThanOrEqual(start);
  await vi.waitFor(() => expect(listener.heard.length).toBe(2), { timeout: 10_000 });
  await stack.publish(base);
});

test('a revoked key ends its streams, and no others', async () => {
  const [legacy, modern, kept] = [await legacyListener(carol.token, 0), await modernListener(carol.token, 0), await modernListener(alice.token, 0)];
  const before = await openedStreams(0);
  await stack.publish({ ...base, agents: [alice, bob, { ...carol, keys: [] }] });
  await modern.closed;
  await vi.waitFor(async () => expect(await openedStreams(0)).toBe(before - 2), { timeout: 10_000 });
  await stack.publish({
    ...base,
    servers: [{ ...notes, definitions: notes.definitions.slice(1) }, other],
    agents: [alice, bob, { ...carol, keys: [] }],
  });
  await vi.waitFor(() => expect(kept.heard).toEqual(['tools']), { timeout: 10_000 });
  expect([...legacy.heard, ...modern.heard]).toEqual([]);
  await stack.publish(base);
});

test('the acknowledgement names only resources that the agent may read', async () => {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(address(1), init(alice.token)));
  const subscription = await client.listen({ promptsListChanged: true, resourceSubscriptions: ['notes://one', 'notes://two', 'other://x'] });
  expect(subscription.honoredFilter).toEqual({ promptsListChanged: true, resourceSubscriptions: ['notes://one'] });
  await client.close();
});

async function initialize(token: string, node = 0): Promise<string> {
  const response = await fetch(address(node), {
    method: 'POST',
    headers: mcpHeaders(token),
    body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  });
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

const get = (token: string, session: string, node = 0, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(address(node), { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': session, ...headers } });

test('a session has one stream on all nodes: the newer ends the older, and its end ends it', async () => {
  const session = await initialize(dave.token);
  const older = await get(dave.token, session, 0);
  const newer = await get(dave.token, session, 1);
  expect([older.status, newer.status]).toEqual([200, 200]);
  expect(await older.text()).not.toContain('data:');
  const ended = newer.text();
  await fetch(address(0), { method: 'DELETE', headers: { authorization: `Bearer ${dave.token}`, 'mcp-session-id': session } });
  expect(await ended).not.toContain('data:');
  expect((await get(dave.token, session, 1)).status).toBe(404);
});

test('another agent’s session opens no stream, and nothing is ever replayed', async () => {
  const session = await initialize(alice.token);
  const [foreign, unknown] = await Promise.all([get(bob.token, session), get(bob.token, 'nothing')]);
  expect([foreign.status, unknown.status]).toEqual([404, 404]);
  expect(await foreign.text()).toBe(await unknown.text());
  const resumed = await get(alice.token, session, 1, { 'last-event-id': '7' });
  expect(resumed.status).toBe(400);
});

test('a node that stops ends its streams in good order', async () => {
  const single = await startTestStack(1);
  await single.publish(base);
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL('/mcp', single.urls[0]), init(alice.token)));
  const subscription = await client.listen({ toolsListChanged: true });
  await single.stop();
  expect(await subscription.closed).toBe('graceful');
  await client.close();
});
