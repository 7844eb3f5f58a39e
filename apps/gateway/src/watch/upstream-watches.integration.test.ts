import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { freePort } from '@portcullis/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { changingCapabilities, startLegacyChangingServer, startModernChangingServer, type ChangingServer } from '../testing/changing-servers.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import type { Policy } from '../testing/policy-publisher.js';
import { aDefinition, aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const patience = { timeout: 20_000 };
const starts = { legacy: startLegacyChangingServer, modern: startModernChangingServer };

describe.each(['legacy', 'modern'] as const)('a server of the %s era that changes', (era) => {
  let stack: TestStack;
  let server: ChangingServer;
  let serverId: string;
  let policy: Policy & { servers: readonly [ServerEntry, ServerEntry] };
  const alice = anAgent('alice');
  const bob = anAgent('bob');
  const uris = ['notes://one', 'notes://two'] as const;

  beforeAll(async () => {
    [stack, server] = await Promise.all([startTestStack(2), starts[era](await freePort())]);
    const capabilitiesJson = JSON.stringify(changingCapabilities);
    const notes = aServer('notes', [aTool('read'), ...uris.map((uri) => aDefinition('resource', uri))], { url: server.url, era, capabilitiesJson });
    serverId = notes.id;
    const other = aServer('other', [aTool('look')]);
    const grants = [aGrant(alice, notes), aGrant(alice, notes, { kind: 'resources', names: [uris[0]] }), aGrant(bob, other)];
    policy = { servers: [notes, other], agents: [alice, bob], grants, settings };
    await stack.publish(policy);
  });
  afterAll(async () => {
    await stack.stop();
    await server.close();
  });

  const address = (node: number): URL => new URL('/mcp', stack.urls[node]);
  const init = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

  async function legacyListener(token: string, node: number) {
    const heard: string[] = [];
    const client = new LegacyClient({ name: 'test', version: '1' });
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'));
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
    const opened = Promise.withResolvers<void>();
    const watched: typeof fetch = async (url, request) => {
      const response = await fetch(url, request);
      if (request?.method === 'GET' && response.ok) opened.resolve();
      return response;
    };
    const transport = new LegacyTransport(address(node), { ...init(token), fetch: watched });
    await client.connect(transport);
    await opened.promise;
    return { heard, client, session: transport.sessionId ?? '' };
  }

  async function modernListener(token: string, node: number, resourceSubscriptions: string[] = []) {
    const heard: string[] = [];
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    await client.connect(new ModernTransport(address(node), init(token)));
    await client.listen({ toolsListChanged: true, resourceSubscriptions });
    return { heard, client };
  }

  test('is listened to once by each node that needs it and looked at again; agents are told when what they see has changed', async () => {
    const near = [await legacyListener(alice.token, 0), await modernListener(alice.token, 0), await modernListener(alice.token, 1)];
    const far = [await legacyListener(bob.token, 0), await modernListener(bob.token, 1)];
    await vi.waitFor(() => expect(server.streams()).toBe(2), patience);
    await vi.waitFor(() => {
      if (!stack.controlPlane.changes.includes(serverId)) server.toolsChanged();
      expect(stack.controlPlane.changes).toContain(serverId);
    }, patience);
    const [notes, ...others] = policy.servers;
    const definitions = [aTool('read', { description: 'As it is now' }), ...notes.definitions.slice(1)];
    await stack.publish({ ...policy, servers: [{ ...notes, definitions }, ...others] });
    await vi.waitFor(() => expect(near.map(({ heard }) => heard)).toEqual([['tools'], ['tools'], ['tools']]), patience);
    expect(far.flatMap(({ heard }) => heard)).toEqual([]);
    expect(server.streams()).toBe(2);
    await Promise.all([...near, ...far].map(({ client }) => client.close()));
  });

  test('tells of a resource on the stream of whoever subscribed to it, on whichever node that was asked for', async () => {
    const [legacy, modern] = [await legacyListener(alice.token, 0), await modernListener(alice.token, 1, [...uris])];
    const elsewhere = (method: string, uri: string): Promise<Response> =>
      fetch(address(1), {
        method: 'POST',
        headers: {
          ...mcpHeaders(alice.token),
          'mcp-session-id': legacy.session,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { uri } }),
      });
    expect(await (await elsewhere('resources/subscribe', uris[0])).json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await (await elsewhere('resources/subscribe', uris[1])).json()).toMatchObject({ error: { code: -32002, data: { uri: uris[1] } } });
    await vi.waitFor(() => expect(server.subscribed().filter((uri) => uri === uris[0])).toHaveLength(2), patience);
    expect(server.subscribed()).not.toContain(uris[1]);
    await vi.waitFor(() => {
      if (legacy.heard.length === 0 || modern.heard.length === 0) server.updated(uris[0]);
      expect([legacy.heard[0], modern.heard[0]]).toEqual([uris[0], uris[0]]);
    }, patience);
    await elsewhere('resources/unsubscribe', uris[0]);
    await vi.waitFor(() => expect(server.subscribed()).toEqual([uris[0]]), patience);
    /** Whatever was under way to the older client has come once it is told of another list. */
    const tellOfTools = async (description: string): Promise<void> => {
      const told = (): number => legacy.heard.filter((what) => what === 'tools').length;
      const before = told();
      const [notes, ...others] = policy.servers;
      const definitions = [aTool('read', { description }), ...notes.definitions.slice(1)];
      await stack.publish({ ...policy, servers: [{ ...notes, definitions }, ...others] });
      await vi.waitFor(() => expect(told()).toBe(before + 1), patience);
    };
    await tellOfTools('With another word');
    const [before, toldBefore] = [legacy.heard.length, modern.heard.filter((what) => what === uris[0]).length];
    server.updated(uris[0]);
    await vi.waitFor(() => expect(modern.heard.filter((what) => what === uris[0]).length).toBeGreaterThan(toldBefore), patience);
    await tellOfTools('And another');
    expect(legacy.heard.slice(before)).toEqual(['tools']);
    await Promise.all([legacy.client.close(), modern.client.close()]);
  });

  test('is heard again after it was away', async () => {
    const listener = await modernListener(alice.token, 0, [uris[0]]);
    await vi.waitFor(() => expect(server.subscribed()).toContain(uris[0]), patience);
    const { port } = new URL(server.url);
    await server.close();
    server = await starts[era](Number(port));
    await vi.waitFor(() => expect(server.subscribed()).toContain(uris[0]), patience);
    await vi.waitFor(() => {
      server.updated(uris[0]);
      expect(listener.heard).toContain(uris[0]);
    }, patience);
    await listener.client.close();
  });
});
