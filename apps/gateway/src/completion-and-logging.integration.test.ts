import { toNodeHandler } from '@modelcontextprotocol/node';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { completable as legacyCompletable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { completable, createMcpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { mcpHeaders, modernMeta } from './testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool, settings } from './testing/policy-builders.js';
import { listenLoopback } from './testing/listen-loopback.js';
import { startTestStack, type TestStack } from './testing/test-stack.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
const TEMPLATE = 'test://items/{id}';
let stack: TestStack;
let closers: (() => Promise<void>)[] = [];
/** Every message that reached a server, newest last. */
let arrived: { server: string; method: string; params?: Record<string, unknown> }[] = [];

const names = (value: string): string[] => ['ada', 'alan', 'grace'].filter((name) => name.startsWith(value));
const LEVELS = ['debug', 'info', 'error'] as const;

function aLegacyServer(): LegacyServer {
  const server = new LegacyServer({ name: 'old', version: '1' }, { capabilities: { logging: {} } });
  server.registerPrompt('greet', { argsSchema: { name: legacyCompletable(z.string(), names) } }, () => ({ messages: [] }));
  server.registerTool('talk', {}, async ({ sendNotification, sessionId }) => {
    for (const level of LEVELS) {
      // The SDK filters by what was set for the session only where it sends itself.
      await server.server.sendLoggingMessage({ level, data: level }, sessionId).catch(() => undefined);
      await sendNotification({ method: 'notifications/message', params: { level, data: level } });
    }
    return { content: [] };
  });
  return server;
}

function aModernServer(): ModernServer {
  const server = new ModernServer({ name: 'new', version: '1' }, { capabilities: { logging: {} } });
  server.registerPrompt('greet', { argsSchema: z.object({ name: completable(z.string(), names) }) }, () => ({ messages: [] }));
  server.registerTool('talk', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
    for (const level of LEVELS) await mcpReq.log(level, level);
    return { content: [] };
  });
  return server;
}

type Handle = (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;

async function serve(server: string, handle: Handle): Promise<string> {
  const http = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { method: string };
      arrived.push({ server, ...body });
      await handle(request, response, body);
    })();
  });
  const { url, close } = await listenLoopback(http);
  closers.push(close);
  return `${url}/mcp`;
}

async function serveLegacy(): Promise<string> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return serve('old', async (request, response, body) => {
    let transport = transports.get(String(request.headers['mcp-session-id']));
    if (transport === undefined) {
      const opened: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id) => void transports.set(id, opened),
      });
      await aLegacyServer().connect(opened);
      transport = opened;
    }
    await transport.handleRequest(request, response, body);
  });
}

beforeAll(async () => {
  const handler = toNodeHandler(createMcpHandler(aModernServer, { legacy: 'reject' }));
  const [oldUrl, newUrl, started] = await Promise.all([serveLegacy(), serve('new', handler), startTestStack(2)]);
  stack = started;
  const definitions = [
    aTool('talk'),
    aDefinition('prompt', 'greet'),
    aDefinition('prompt', 'secret'),
    { ...aDefinition('resource_template', TEMPLATE), json: JSON.stringify({ uriTemplate: TEMPLATE, name: 'T' }) },
  ];
  const capabilitiesJson = '{"tools":{},"prompts":{},"completions":{},"logging":{}}';
  const old = aServer('old', definitions, { url: oldUrl, era: 'legacy', capabilitiesJson });
  const fresh = aServer('new', definitions, { url: newUrl, era: 'modern', capabilitiesJson });
  const mute = aServer('mute', [aDefinition('prompt', 'greet')]);
  const grants = [
    ...[old, fresh].flatMap((server) => [
      aGrant(alice, server),
      aGrant(alice, server, { kind: 'prompts', names: ['greet'] }),
      aGrant(alice, server, { kind: 'resources' }),
    ]),
    aGrant(alice, mute, { kind: 'prompts' }),
    aGrant(bob, mute, { kind: 'prompts' }),
  ];
  await stack.publish({ servers: [old, fresh, mute], agents: [alice, bob], grants, settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), ...closers.map((close) => close())]);
  closers = [];
});
beforeEach(() => {
  arrived = [];
});

/** One modern request as it stands; the messages of its answer. */
async function ask(method: string, params: Record<string, unknown>, options: { node?: number; token?: string; meta?: object } = {}) {
  const { node = 0, token = alice.token, meta = {} } = options;
  const response = await fetch(`${stack.urls[node] ?? ''}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(token),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...modernMeta, ...meta } } }),
  });
  const text = await response.text();
  const lines = text.startsWith('{') ? [text] : text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
  return lines.map((line) => JSON.parse(line) as { method?: string; params?: { data?: unknown }; result?: Record<string, unknown>; error?: unknown });
}

/** An official legacy client whose every POST goes to the next node. */
async function roamingClient(token = alice.token): Promise<LegacyClient> {
  let posts = 0;
  const roam = (_url: string | URL, init?: RequestInit): Promise<Response> => fetch(new URL('/mcp', stack.urls[(posts += 1) % 2]), init);
  const client = new LegacyClient({ name: 'test', version: '1' });
  await client.connect(
    new LegacyTransport(new URL('/mcp', stack.urls[0]), { fetch: roam, requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  return client;
}

const complete = (name: string, value = 'a') => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'name', value } });

describe('completion', () => {
  test.each(['old', 'new'])('is had from the server %s in both eras, under the server’s own name', async (slug) => {
    const client = await roamingClient();
    expect(client.getServerCapabilities()).toMatchObject({ completions: {}, logging: {} });
    const answer = await client.complete({ ref: { type: 'ref/prompt', name: `${slug}__greet` }, argument: { name: 'name', value: 'a' } });
    expect(answer.completion.values).toEqual(['ada', 'alan']);
    const [modern] = await ask('completion/complete', complete(`${slug}:greet`, 'g'));
    expect(modern?.result).toMatchObject({ resultType: 'complete', completion: { values: ['grace'] } });
    expect(arrived.filter(({ method }) => method === 'completion/complete').map(({ params }) => params?.['ref'])).toEqual([
      { type: 'ref/prompt', name: 'greet' },
      { type: 'ref/prompt', name: 'greet' },
    ]);
    await client.close();
  });

  test.each([
    ['not granted', complete('old__secret')],
    ['not offered', complete('old__nothing')],
    ['of no server', complete('x')],
  ])('of a prompt that is %s answers like for an unknown one, and no server is asked', async (_why, params) => {
    const [answer] = await ask('completion/complete', params);
    expect(answer?.error).toEqual({ code: -32602, message: `Unknown prompt: ${params.ref.name}` });
    expect(arrived).toEqual([]);
  });

  test('of a resource goes by its template, and only for who was granted it', async () => {
    const params = { ref: { type: 'ref/resource', uri: TEMPLATE }, argument: { name: 'id', value: '1' } };
    await ask('completion/complete', params);
    expect(arrived.at(-1)).toMatchObject({ server: 'new', method: 'completion/complete', params: { ref: params.ref } });
    arrived = [];
    const [denied] = await ask('completion/complete', params, { token: bob.token });
    expect(denied?.error).toEqual({ code: -32602, message: 'Resource not found' });
    expect(arrived).toEqual([]);
  });

  test('at a server that completes nothing is empty, and is not offered where no server completes', async () => {
    const [answer] = await ask('completion/complete', complete('mute__greet'), { token: bob.token });
    expect(answer?.result).toMatchObject({ completion: { values: [], hasMore: false } });
    const [discovered] = await ask('server/discover', {}, { token: bob.token });
    expect(discovered?.result?.['capabilities']).not.toHaveProperty('completions');
  });

  test.each([[{}], [{ ref: 1 }], [{ ref: { type: 'ref/tool', name: 'x' } }], [{ ref: { type: 'ref/prompt' } }]])(
    'of %j is invalid',
    async (params) => {
      const [answer] = await ask('completion/complete', params);
      expect(answer?.error).toMatchObject({ code: -32602 });
    },
  );

  test('leaves a record with its argument', async () => {
    await ask('completion/complete', complete('new__greet', 'unmistakable'));
    await vi.waitFor(async () => {
      const events = await stack.events();
      const intent = events.find(
        (event) => event.method === 'completion/complete' && Buffer.from(event.arguments ?? '', 'base64').includes('unmistakable'),
      );
      expect(intent).toMatchObject({ phase: 'intent', server: 'new', tool: 'greet' });
    }, 10_000);
  });
});

describe('log messages', () => {
  test.each(['old', 'new'])('of the server %s follow the level of a session, on whatever node it was set', async (slug) => {
    const client = await roamingClient();
    let heard: unknown[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data));
    for (const [level, expected] of [
      ['error', ['error']],
      ['info', ['info', 'error']],
      ['emergency', []],
    ] as const) {
      await client.setLoggingLevel(level);
      for (const _node of stack.urls) {
        await vi.waitFor(async () => {
          heard = [];
          await client.callTool({ name: `${slug}__talk` });
          expect([...new Set(heard)]).toEqual(expected);
        }, 10_000);
      }
    }
    await client.close();
  });

  test('a legacy server is told the level in the session that it logs to, once', async () => {
    const client = await roamingClient();
    await client.setLoggingLevel('warning');
    for (let calls = 0; calls < 4; calls += 1) await client.callTool({ name: 'old__talk' });
    const levels = arrived.filter(({ method }) => method === 'logging/setLevel').map(({ params }) => params?.['level']);
    expect(new Set(levels)).toEqual(new Set(['warning']));
    expect(levels.length).toBeLessThanOrEqual(2); // each node once
    await client.close();
  });

  test.each(['old', 'new'])('of the server %s reach a modern client that asked for them with the call, and no other', async (slug) => {
    const talk = async (level?: string): Promise<unknown[]> => {
      const meta = level === undefined ? {} : { 'io.modelcontextprotocol/logLevel': level };
      const messages = await ask('tools/call', { name: `${slug}__talk`, arguments: {} }, { meta });
      return [...new Set(messages.flatMap(({ method, params }) => (method === 'notifications/message' ? [params?.data] : [])))];
    };
    expect(await talk()).toEqual([]);
    expect(await talk('error')).toEqual(['error']);
    expect(await talk('debug')).toEqual(['debug', 'info', 'error']);
    expect(await talk('info')).toEqual(['info', 'error']);
    expect(await talk('loudest')).toEqual([]);
  });

  test('a level nobody knows is refused, and a modern client has no such method', async () => {
    const client = await roamingClient();
    await expect(client.setLoggingLevel('loud' as never)).rejects.toThrow('Invalid');
    const [modern] = await ask('logging/setLevel', { level: 'info' });
    expect(modern?.error).toMatchObject({ code: -32601 });
    await client.close();
  });
});

describe('trace context', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const metaAt = () => arrived.at(-1)?.params?.['_meta'] as Record<string, unknown>;

  test('goes on to the server and into the audit trail; baggage does not', async () => {
    const meta = { traceparent, tracestate: 'a=b', baggage: 'user=alice', 'com.example/own': 1 };
    await ask('tools/call', { name: 'new__talk', arguments: {} }, { meta });
    expect(metaAt()).toMatchObject({ traceparent, tracestate: 'a=b', 'com.example/own': 1 });
    expect(metaAt()).not.toHaveProperty('baggage');
    await vi.waitFor(async () => expect((await stack.events()).some(({ traceId }) => traceId === traceparent.slice(3, 35))).toBe(true), 10_000);
  });

  test.each(['00-x', 7, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])('that is none (%j) ends here', async (broken) => {
    await ask('tools/call', { name: 'new__talk', arguments: {} }, { meta: { traceparent: broken, tracestate: 'a=b' } });
    expect(metaAt()).not.toHaveProperty('traceparent');
    expect(metaAt()).not.toHaveProperty('tracestate');
  });
});
