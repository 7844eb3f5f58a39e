import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  askingDefinitions,
  startBothErasAskingServer,
  startLegacyAskingServer,
  startModernAskingServer,
  type AskingServer,
} from '../testing/asking-servers.js';
import { aGrant, anAgent, aServer, settings } from '../testing/policy-builders.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

let stack: TestStack;
let servers: Record<'old' | 'new' | 'both', AskingServer>;
const alice = anAgent('alice');

beforeAll(async () => {
  const started = await Promise.all([startLegacyAskingServer(), startModernAskingServer(), startBothErasAskingServer(), startTestStack(3)]);
  servers = { old: started[0], new: started[1], both: started[2] };
  [, , , stack] = started;
  const entries = [
    aServer('old', askingDefinitions, { url: servers.old.url, era: 'legacy' }),
    aServer('new', askingDefinitions, { url: servers.new.url, era: 'modern' }),
    aServer('both', askingDefinitions, { url: servers.both.url, era: 'modern', bothEras: true }),
  ];
  const kinds = ['tools', 'prompts', 'resources'] as const;
  const grants = entries.flatMap((entry) => kinds.map((kind) => aGrant(alice, entry, { kind })));
  await stack.publish({ servers: entries, agents: [alice], grants, settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), ...Object.values(servers).map((server) => server.close())]);
});

/** What came over the wire, whatever a client makes of it. */
async function hear({ body }: Response, heard: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of body ?? []) heard.text += decoder.decode(bytes, { stream: true });
  } catch {
    // the client hung up
  }
}

/** Sends what begins a call to the first node, and all that goes on with one to the others in turn. */
function spread(token: string) {
  const nodes = { of: 0 };
  const later: { node: number; body: string }[] = [];
  const heard = { text: '' };
  const fetchAt: typeof fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const body = typeof init?.body === 'string' ? init.body : '';
    const goesOn = /"requestState":|"inputResponses":/.test(body) || (body !== '' && !body.includes('"method"'));
    if (goesOn) {
      nodes.of = (nodes.of % 2) + 1;
      later.push({ node: nodes.of, body });
    }
    const response = await fetch(new URL(pathname, stack.urls[goesOn ? nodes.of : 0]), init);
    void hear(response.clone(), heard);
    return response;
  };
  return { later, heard, options: { fetch: fetchAt, requestInit: { headers: { authorization: `Bearer ${token}` } } } };
}

const answers = {
  'elicitation/create': (params: { mode?: string; url?: string }) =>
    params.mode === 'url' ? { action: 'accept' as const } : { action: 'accept' as const, content: { name: 'Ada' } },
  'sampling/createMessage': () => ({ model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'Paris' } }),
  'roots/list': () => ({ roots: [{ uri: 'file:///home' }] }),
};
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

interface Seen {
  readonly method: string;
  readonly params: unknown;
}

async function legacyClient(path: string, declared: object = capabilities) {
  const client = new LegacyClient({ name: 'test', version: '1' }, { capabilities: declared });
  const seen: Seen[] = [];
  const note = <Params>(method: string, params: Params): Params => (seen.push({ method, params }), params);
  if ('elicitation' in declared)
    client.setRequestHandler(ElicitRequestSchema, ({ method, params }) => answers['elicitation/create'](note(method, params) as { mode?: string }));
  if ('sampling' in declared)
    client.setRequestHandler(CreateMessageRequestSchema, ({ method, params }) => (note(method, params), answers['sampling/createMessage']()));
  if ('roots' in declared) client.setRequestHandler(ListRootsRequestSchema, ({ method, params }) => (note(method, params), answers['roots/list']()));
  const { later, heard, options } = spread(alice.token);
  await client.connect(new LegacyTransport(new URL(path, stack.urls[0]), options));
  return { client, seen, later, heard };
}

async function modernClient(path: string, declared: object = capabilities) {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' }, capabilities: declared });
  const seen: Seen[] = [];
  const note = <Params>(method: string, params: Params): Params => (seen.push({ method, params }), params);
  if ('elicitation' in declared)
    client.setRequestHandler('elicitation/create', ({ method, params }) => answers['elicitation/create'](note(method, params) as { mode?: string }));
  if ('sampling' in declared)
    client.setRequestHandler('sampling/createMessage', ({ method, params }) => (note(method, params), answers['sampling/createMessage']()));
  if ('roots' in declared) client.setRequestHandler('roots/list', ({ method, params }) => (note(method, params), answers['roots/list']()));
  const { later, heard, options } = spread(alice.token);
  await client.connect(new ModernTransport(new URL(path, stack.urls[0]), options));
  return { client, seen, later, heard };
}

const clients = { legacy: legacyClient, modern: modernClient };
const cells = (['legacy', 'modern'] as const).flatMap((era) => (['old', 'new', 'both'] as const).map((slug) => [era, slug] as const));
const textOf = (answer: unknown): unknown => {
  const [block] = (answer as { content: { text: string }[] }).content;
  try {
    return JSON.parse(block?.text ?? '');
  } catch {
    return block?.text;
  }
};

describe.each(cells)('a %s client of the server %s', (era, slug) => {
  test.each([
    ['form', { action: 'accept', content: { name: 'Ada' } }, 'elicitation/create'],
    ['url', { action: 'accept' }, 'elicitation/create'],
    ['sampling', { model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }, 'sampling/createMessage'],
    ['roots', { roots: [{ uri: 'file:///home' }] }, 'roots/list'],
  ])('is asked (%s) in the middle of a call, and answers to another node', async (tool, answer, method) => {
    const { client, seen, later } = await clients[era](`/servers/${slug}/mcp`);
    expect(textOf(await client.callTool({ name: tool, arguments: {} }))).toEqual(answer);
    expect(seen.map((one) => one.method)).toEqual([method]);
    expect(later.map(({ node }) => node)).toEqual([1]);
    await client.close();
  });

  test('is asked twice in one call, on whatever node it answers', async () => {
    const { client, seen, later } = await clients[era]('/mcp');
    const told = textOf(await client.callTool({ name: `${slug}__twice`, arguments: {} }));
    expect(JSON.stringify(told)).toContain('Ada');
    expect(JSON.stringify(told)).toContain('file:///home');
    expect(seen.map(({ method }) => method)).toEqual(['elicitation/create', 'roots/list']);
    expect(later.map(({ node }) => node)).toEqual([1, 2]);
    await client.close();
  });

  test('is asked by prompts and resources as by tools', async () => {
    const { client } = await clients[era](`/servers/${slug}/mcp`);
    expect(JSON.stringify(await client.getPrompt({ name: 'form' }))).toContain('Ada');
    expect(JSON.stringify(await client.readResource({ uri: 'test://form' }))).toContain('Ada');
    await client.close();
  });

  test('is never sent to an address that is not https', async () => {
    const { client, seen } = await clients[era](`/servers/${slug}/mcp`);
    const answer = await client.callTool({ name: 'unsafe', arguments: {} }).catch((error: unknown) => ({ error: String(error) }));
    expect(JSON.stringify(answer)).toMatch(/https|invalid answer/);
    expect(seen).toEqual([]);
    await client.close();
  });

  test('is asked nothing that it did not declare, and learns what is missing', async () => {
    const { client, later, heard } = await clients[era](`/servers/${slug}/mcp`, {});
    const before = servers[slug].bodies.length;
    const answer = await client.callTool({ name: 'sampling', arguments: {} }).catch((error: unknown) => ({ error: String(error) }));
    expect(JSON.stringify(answer)).toMatch(/Method not found|needs a client that supports: sampling|Missing required client capability/);
    // The client's SDK would refuse a question by itself: none may have come, and the server was called once, by somebody who declares nothing.
    expect(heard.text).toContain('"jsonrpc"');
    expect(heard.text).not.toMatch(/sampling\/createMessage|input_required/);
    const asked = servers[slug].bodies.slice(before).join('\n');
    expect(asked).not.toMatch(/"sampling":\{|inputResponses/);
    expect(asked.match(/"method":"tools\/call"/g)).toHaveLength(1);
    expect(later).toEqual([]);
    await client.close();
  });

  test('of many servers is told which one sends it somewhere', async () => {
    const { client, seen } = await clients[era]('/mcp');
    await client.callTool({ name: `${slug}__url`, arguments: {} });
    expect(seen).toMatchObject([{ params: { message: `${slug}: Sign in`, url: 'https://server.example/sign-in' } }]);
    await client.close();
  });
});

test('a legacy server’s demand to visit an address first reaches a modern client as a question, and the call is made again', async () => {
  const { client, seen, later } = await modernClient('/servers/old/mcp');
  expect(textOf(await client.callTool({ name: 'visit', arguments: {} }))).toBe('visited');
  expect(seen).toMatchObject([{ method: 'elicitation/create', params: { mode: 'url' } }]);
  expect(later).toHaveLength(1);
  await client.close();
});

test('a server of both eras is spoken to in the era of each client', async () => {
  const asked = (method: string): number => servers.both.bodies.filter((body) => body.includes(`"${method}"`)).length;
  const modern = await modernClient('/servers/both/mcp');
  const before = asked('initialize');
  await modern.client.callTool({ name: 'form', arguments: {} });
  expect(asked('initialize')).toBe(before);
  const legacy = await legacyClient('/servers/both/mcp');
  const results = asked('io.modelcontextprotocol/protocolVersion');
  await legacy.client.callTool({ name: 'apart', arguments: {} }); // such a question only the older era knows
  expect(asked('initialize')).toBe(before + 1);
  expect(asked('io.modelcontextprotocol/protocolVersion')).toBe(results);
  await Promise.all([modern.client.close(), legacy.client.close()]);
});
