import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { askingDefinitions, startLegacyAskingServer, type AskingServer } from '../testing/asking-servers.js';
import { aGrant, anAgent, aServer, settings } from '../testing/policy-builders.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

let stack: TestStack;
let server: AskingServer;
const alice = anAgent('alice');
const bob = anAgent('bob');
const patience = { timeout: 10_000, interval: 20 };

beforeAll(async () => {
  [server, stack] = await Promise.all([startLegacyAskingServer(), startTestStack(3)]);
  const entry = aServer('old', askingDefinitions, { url: server.url, era: 'legacy' });
  await stack.publish({ servers: [entry], agents: [alice, bob], grants: [aGrant(alice, entry), aGrant(bob, entry)], settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), server.close()]);
});

interface Options {
  readonly token?: string;
  /** Which node takes a request. */
  readonly nodeOf?: (request: { method: string; body: string }) => number;
  readonly capabilities?: object;
  /** Answers no elicitation, and waits for it to be withdrawn. */
  readonly hesitates?: boolean;
}
const all = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const roots = { roots: [{ uri: 'file:///home' }] };

function transportOptions({ token = alice.token, nodeOf = () => 0 }: Options) {
  const routed: typeof fetch = (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const at = nodeOf({ method: init?.method ?? 'GET', body: typeof init?.body === 'string' ? init.body : '' });
    return fetch(new URL(pathname, stack.urls[at]), init);
  };
  return { fetch: routed, requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

async function legacyClient(options: Options = {}) {
  const { capabilities = all } = options;
  const client = new LegacyClient({ name: 'test', version: '1' }, { capabilities });
  const asked: string[] = [];
  const completed: string[] = [];
  let retracted = 0;
  const told = (method: string): void => void asked.push(method);
  if ('elicitation' in capabilities)
    client.setRequestHandler(ElicitRequestSchema, ({ method }, extra) => {
      extra.signal.addEventListener('abort', () => (retracted += 1));
      told(method);
      if (options.hesitates === true) return new Promise(() => undefined);
      return { action: 'accept', content: { name: 'Ada' } };
    });
  if ('sampling' in capabilities)
    client.setRequestHandler(
      CreateMessageRequestSchema,
      ({ method }) => (told(method), { model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }),
    );
  if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, ({ method }) => (told(method), roots));
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => void completed.push(params.elicitationId));
  await client.connect(new LegacyTransport(new URL('/servers/old/mcp', stack.urls[0]), transportOptions(options)));
  return { client, asked, completed, retracted: () => retracted };
}

async function modernClient(options: Options = {}) {
  const { capabilities = all } = options;
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities });
  const asked: string[] = [];
  client.setRequestHandler('elicitation/create', async ({ method }) => {
    asked.push(method);
    if (options.hesitates === true) await vi.waitFor(() => expect(server.told).toContain('retracted'), patience);
    return { action: 'accept', content: { name: 'Ada' } };
  });
  client.setRequestHandler(
    'sampling/createMessage',
    ({ method }) => (asked.push(method), { model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }),
  );
  client.setRequestHandler('roots/list', ({ method }) => (asked.push(method), roots));
  await client.connect(new ModernTransport(new URL('/servers/old/mcp', stack.urls[0]), transportOptions(options)));
  return { client, asked };
}

const textOf = (answer: unknown): unknown => JSON.parse((answer as { content: { text: string }[] }).content[0]?.text ?? 'null');
/** Each call to the next node. */
const roundRobin = (): Required<Options>['nodeOf'] => {
  let next = 0;
  return () => (next += 1) % 3;
};

describe.each([
  ['legacy', legacyClient],
  ['modern', modernClient],
] as const)('a %s client', (_era, connect) => {
  test.each([
    ['apart', { action: 'accept', content: { name: 'Ada' } }, 'elicitation/create'],
    ['apart-sampling', { model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }, 'sampling/createMessage'],
    ['apart-roots', roots, 'roots/list'],
  ])('is asked what the server asks on its session’s own stream (%s)', async (tool, answer, method) => {
    const { client, asked } = await connect();
    expect(textOf(await client.callTool({ name: tool, arguments: {} }))).toEqual(answer);
    expect(asked).toEqual([method]);
    await client.close();
  });

  test('is asked whichever nodes its requests land on', async () => {
    const { client, asked } = await connect({ nodeOf: roundRobin() });
    for (let call = 0; call < 6; call += 1)
      expect(textOf(await client.callTool({ name: 'apart', arguments: {} }))).toMatchObject({ content: { name: 'Ada' } });
    expect(asked).toHaveLength(6);
    await client.close();
  });
});

test('a legacy client is asked between its calls, though its stream and its calls are on different nodes', async () => {
  const { client, asked } = await legacyClient({ nodeOf: ({ method, body }) => (method === 'GET' ? 2 : body.includes('tools/call') ? 1 : 0) });
  server.told?.splice(0);
  expect(textOf(await client.callTool({ name: 'afterwards', arguments: {} }))).toBe('at once');
  await vi.waitFor(() => expect(server.told).toEqual([roots]), patience);
  expect(asked).toEqual(['roots/list']);
  await client.close();
});

test('no stream is opened for a client that cannot be asked', async () => {
  const before = server.streams?.();
  const { client } = await legacyClient({ capabilities: {}, token: bob.token });
  expect(textOf(await client.callTool({ name: 'afterwards', arguments: {} }))).toBe('at once');
  expect(server.streams?.()).toBe(before);
  await client.close();
});

test('two agents asked at once each answer their own server session', async () => {
  const [one, other] = await Promise.all([legacyClient({ nodeOf: roundRobin() }), legacyClient({ token: bob.token, nodeOf: roundRobin() })]);
  await Promise.all([one, other].map(({ client }) => client.callTool({ name: 'apart', arguments: {} })));
  expect([one.asked, other.asked]).toEqual([['elicitation/create'], ['elicitation/create']]);
  await Promise.all([one.client.close(), other.client.close()]);
});

test('what the server says of a completed elicitation reaches its legacy client, from either stream', async () => {
  const { client, completed } = await legacyClient();
  await client.callTool({ name: 'completed', arguments: {} });
  await vi.waitFor(() => expect(completed.toSorted()).toEqual(['apart', 'on the call']), patience);
  await client.close();
});

test('a question that its server takes back is taken back at a legacy client too', async () => {
  const { client, asked, retracted } = await legacyClient({ hesitates: true });
  expect(textOf(await client.callTool({ name: 'retract', arguments: {} }))).toBe('retracted');
  expect(asked).toEqual(['elicitation/create']);
  await vi.waitFor(() => expect(retracted()).toBe(1), patience);
  await client.close();
});

test('a modern client that answers too late gets the result of its call all the same', async () => {
  const { client, asked } = await modernClient({ hesitates: true });
  server.told?.splice(0);
  expect(textOf(await client.callTool({ name: 'retract', arguments: {} }))).toBe('retracted');
  expect(asked).toHaveLength(1);
  await client.close();
});

test('a question outside a call’s own answer is on record with its call', async () => {
  const { client } = await legacyClient();
  await client.callTool({ name: 'apart', arguments: {} });
  // Nodes hand their records in one by one: that of a question may come before that of its call.
  await vi.waitFor(async () => {
    const events = (await stack.events()).filter(({ tool }) => tool === 'apart');
    const questions = events.filter(({ method }) => method === 'elicitation/create');
    const calls = new Set(events.filter(({ method }) => method === 'tools/call').map(({ callId }) => callId));
    expect(questions).not.toEqual([]);
    for (const { reason, status } of questions) {
      expect(status).toBe('success');
      expect(calls).toContain(reason?.replace('asked_in:', ''));
    }
  }, patience);
  await client.close();
});

test('another node hears the server when the one that did is stopped', async () => {
  let node = 0;
  const { client, asked } = await modernClient({ token: bob.token, nodeOf: () => node });
  await client.callTool({ name: 'apart', arguments: {} });
  await stack.stopNode(0);
  node = 1;
  expect(textOf(await client.callTool({ name: 'apart', arguments: {} }))).toMatchObject({ content: { name: 'Ada' } });
  expect(asked).toHaveLength(2);
  await client.close();
});
