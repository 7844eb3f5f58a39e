import { createServer, type ServerResponse } from 'node:http';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { listenLoopback } from '../../testing/listen-loopback.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../../testing/policy-builders.js';
import { startTestStack, type TestStack } from '../../testing/test-stack.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
let stack: TestStack;
let closers: (() => Promise<void>)[] = [];
let streams: ServerResponse[] = [];
/** One for each connection. */
const servers = new Set<McpServer>();
let sseId = '';
let cancelled: unknown[] = [];
let callers: (string | undefined)[] = [];

/** The official server of that transport. */
async function serveSse(): Promise<string> {
  const transports = new Map<string, SSEServerTransport>();
  const http = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (request.method === 'GET' && url.pathname === '/sse') {
        const transport = new SSEServerTransport('/message', response);
        transports.set(transport.sessionId, transport);
        streams.push(response);
        response.on('close', () => transports.delete(transport.sessionId));
        const server = buildServer();
        servers.add(server);
        response.on('close', () => servers.delete(server));
        await server.connect(transport);
        return;
      }
      const transport = transports.get(url.searchParams.get('sessionId') ?? '');
      if (request.method !== 'POST' || url.pathname !== '/message' || transport === undefined) {
        response.writeHead(404).end();
        return;
      }
      await transport.handlePostMessage(request, response);
    })();
  });
  const { url, close } = await listenLoopback(http);
  closers.push(close);
  return `${url}/sse`;
}

function buildServer(): McpServer {
  const server = new McpServer({ name: 'old', version: '1' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }, { sessionId }) => {
    callers.push(sessionId);
    return { content: [{ type: 'text', text }] };
  });
  server.registerTool('count', {}, async ({ _meta, sendNotification }) => {
    for (const progress of [1, 2, 3]) {
      const progressToken = _meta?.progressToken;
      if (progressToken !== undefined) await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
    }
    return { content: [] };
  });
  server.registerTool('ask', {}, async () => {
    const { roots } = await server.server.listRoots();
    return { content: [{ type: 'text', text: roots.map(({ uri }) => uri).join() }] };
  });
  server.registerTool('wait', {}, async ({ signal, requestId, sessionId }) => {
    callers.push(sessionId);
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    cancelled.push(requestId);
    return { content: [] };
  });
  return server;
}

/** A stream that says what a test wants it to. */
async function serveStream(answer: (response: ServerResponse) => void, status = 200): Promise<string> {
  const http = createServer((request, response) => {
    if (request.method === 'GET') answer(response.writeHead(status, { 'content-type': 'text/event-stream' }));
    else request.resume().on('end', () => response.writeHead(202).end());
  });
  const { url, close } = await listenLoopback(http);
  closers.push(close);
  return `${url}/sse`;
}

beforeAll(async () => {
  const limits = { concurrency: 64, firstByteTimeoutMs: 20_000, totalTimeoutMs: 25_000, resultBytesMax: 100_000 };
  const tools = ['echo', 'count', 'wait', 'ask'].map((name) => aTool(name));
  const flood = (response: ServerResponse): void => {
    const more = (): void => {
      while (response.writable && response.write(`data: {"jsonrpc":"2.0","method":"x"}\n\n`.repeat(200)));
    };
    response.write('event: endpoint\ndata: /message\n\n');
    response.on('drain', more);
    more();
  };
  const urls = {
    sse: await serveSse(),
    elsewhere: await serveStream((response) => response.write('event: endpoint\ndata: http://127.0.0.1:1/message\n\n')),
    forbidden: await serveStream((response) => response.end(), 403),
    ends: await serveStream((response) => response.end('event: endpoint\ndata: /message\n\n')),
    floods: await serveStream(flood),
    long: await serveStream((response) => response.write(`event: endpoint\ndata: /message\n\ndata: ${'x'.repeat(200_000)}`)),
    nowhere: 'http://127.0.0.1:9/sse',
  };
  const capabilitiesJson = JSON.stringify({ tools: { listChanged: true } });
  const entries = Object.entries(urls).map(([slug, url]) => aServer(slug, tools, { url, era: 'legacy', transport: 'sse', limits, capabilitiesJson }));
  sseId = entries[0]?.id ?? '';
  stack = await startTestStack(2);
  await stack.publish({ servers: entries, agents: [alice, bob], grants: entries.flatMap((one) => [aGrant(alice, one), aGrant(bob, one)]), settings });
});
afterAll(async () => {
  await stack.stop();
  await Promise.all(closers.map((close) => close()));
  closers = [];
});
beforeEach(() => {
  callers = [];
  cancelled = [];
});

const address = (node: number): URL => new URL('/mcp', stack.urls[node]);
const headersOf = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

/** An official client whose every POST goes to the next node. */
async function legacyClient(token = alice.token, capabilities = {}): Promise<LegacyClient> {
  let posts = 0;
  const roam = (_url: string | URL, init?: RequestInit): Promise<Response> => fetch(address((posts += 1) % 2), init);
  const client = new LegacyClient({ name: 'test', version: '1' }, { capabilities });
  await client.connect(new LegacyTransport(address(0), { fetch: roam, ...headersOf(token) }));
  return client;
}

async function modernClient(token = alice.token, node = 0): Promise<ModernClient> {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(address(node), headersOf(token)));
  return client;
}

describe('a server of HTTP+SSE', () => {
  test('serves a legacy client that roams over the nodes, and a modern one', async () => {
    const [legacy, modern] = [await legacyClient(), await modernClient()];
    for (const text of ['one', 'two', 'three', 'four']) {
      expect((await legacy.callTool({ name: 'sse__echo', arguments: { text } })).content).toEqual([{ type: 'text', text }]);
    }
    expect((await modern.callTool({ name: 'sse__echo', arguments: { text: 'new' } })).content).toEqual([{ type: 'text', text: 'new' }]);
    await Promise.all([legacy.close(), modern.close()]);
  });

  test('answers many calls of one connection, each its own', async () => {
    const client = await modernClient();
    // As many as an agent has places for, should none be answered before the last is sent.
    const texts = Array.from({ length: 30 }, (_, at) => `text ${String(at)}`);
    const answers = await Promise.all(texts.map((text) => client.callTool({ name: 'sse__echo', arguments: { text } })));
    expect(answers.map(({ content }) => content)).toEqual(texts.map((text) => [{ type: 'text', text }]));
    expect(new Set(callers).size).toBe(1);
    await client.close();
  });

  test('never sees two agents on one connection', async () => {
    const [mine, theirs] = [await modernClient(alice.token), await modernClient(bob.token)];
    await mine.callTool({ name: 'sse__echo', arguments: { text: 'x' } });
    await theirs.callTool({ name: 'sse__echo', arguments: { text: 'x' } });
    expect(new Set(callers).size).toBe(2);
    await Promise.all([mine.close(), theirs.close()]);
  });

  test('reports progress under the token of the call', async () => {
    const client = await legacyClient();
    const seen: number[] = [];
    await client.callTool({ name: 'sse__count', arguments: {} }, undefined, { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2, 3]);
    await client.close();
  });

  test('is told when a call is cancelled', async () => {
    const client = await legacyClient();
    const leaving = new AbortController();
    const answer = client.callTool({ name: 'sse__wait' }, undefined, { signal: leaving.signal });
    await vi.waitFor(() => expect(callers).toHaveLength(1), 10_000);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(cancelled).toHaveLength(1), 10_000);
    await client.close();
  });

  test('asks a legacy client in the middle of its call, whatever node takes the answer', async () => {
    const client = await legacyClient(alice.token, { roots: {} });
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///home' }] }));
    expect((await client.callTool({ name: 'sse__ask', arguments: {} })).content).toEqual([{ type: 'text', text: 'file:///home' }]);
    await client.close();
  });

  test('asks a modern client by what its call is answered', async () => {
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities: { roots: {} } });
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///new' }] }));
    await client.connect(new ModernTransport(address(0), headersOf(alice.token)));
    expect((await client.callTool({ name: 'sse__ask', arguments: {} })).content).toEqual([{ type: 'text', text: 'file:///new' }]);
    await client.close();
  });

  test('is listened to for changes, which make the control plane look at it again', async () => {
    const client = await legacyClient();
    await vi.waitFor(() => expect(servers.size).toBeGreaterThan(0), 10_000);
    await vi.waitFor(() => {
      for (const server of servers) server.sendToolListChanged();
      expect(stack.controlPlane.changes).toContain(sseId);
    }, 10_000);
    await client.close();
  });

  test('that hung up is connected to anew, unseen', async () => {
    const client = await modernClient();
    await client.callTool({ name: 'sse__echo', arguments: { text: 'x' } });
    for (const stream of streams) stream.destroy();
    streams = [];
    await vi.waitFor(async () => {
      expect((await client.callTool({ name: 'sse__echo', arguments: { text: 'y' } })).content).toEqual([{ type: 'text', text: 'y' }]);
    }, 10_000);
    await client.close();
  });
});

test.each([
  ['elsewhere', 'protocol', 'names an endpoint of another origin'],
  ['forbidden', 'protocol', 'opens no stream'],
  ['ends', 'cut', 'ends its stream'],
  ['floods', 'protocol', 'floods its stream'],
  ['long', 'too_large', 'sends a message without end'],
  ['nowhere', 'unreachable', 'is not there'],
])('a server (%s) costs a typed error (%s) where it %s', async (slug, reason) => {
  const client = await modernClient();
  await expect(client.callTool({ name: `${slug}__echo`, arguments: { text: 'x' } })).rejects.toMatchObject({ code: -32603, data: { reason } });
  expect((await client.callTool({ name: 'sse__echo', arguments: { text: 'x' } })).content).toEqual([{ type: 'text', text: 'x' }]);
  await client.close();
});
