import { request, type IncomingMessage } from 'node:http';
import type { GrantEntry } from '@portcullis/contracts/snapshot';
import type { PolicySnapshot } from '@portcullis/snapshot';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { listPage } from '../view/list-pages.js';
import { STREAMS_PER_AGENT_MAX } from './change-streams.js';
import { LIST_KINDS, type ListKind } from './list-kinds.js';

const [alice, bob, sentinel] = [anAgent('alice'), anAgent('bob'), anAgent('sentinel')];
const agents = [alice, bob, sentinel];
const files = aServer('files', [aTool('read'), aTool('write'), aDefinition('prompt', 'sum'), aDefinition('resource', 'files://a')]);
const mail = aServer('mail', [aTool('send'), aDefinition('prompt', 'greet'), aDefinition('resource_template', 'mail://{id}')]);
const bell = aServer('bell', [aTool('ring')]);
const servers = [files, mail, bell];
const { gateway, live } = buildGateway(aSnapshot({ servers, agents, grants: [aGrant(alice, files, { kind: 'resources' })] }));
let server: GatewayServer;

beforeAll(async () => {
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  gateway.streams.close();
  await server.close(0);
});

function post(token: string, method: string, params: object, port = server.port): Promise<IncomingMessage> {
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
  return new Promise((resolve, reject) => {
    const headers = {
      ...mcpHeaders(token),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
    };
    const outgoing = request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ jsonrpc: '2.0', id: 'mine', method, params: { ...params, _meta } }));
  });
}
const listen = (token: string, notifications: object, port?: number): Promise<IncomingMessage> =>
  post(token, 'subscriptions/listen', { notifications }, port);

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

/** What an open stream has brought so far. */
function heardOn(response: IncomingMessage): { text: string } {
  const heard = { text: '' };
  response.setEncoding('utf8').on('data', (chunk: string) => (heard.text += chunk));
  return heard;
}

test('a listen for as many resources as there may be is acknowledged, however long their names are', async () => {
  const wide = await startServer({ ...gateway, edge: { ...gateway.edge, bodyBytesMax: 1024 * 1024 } }, { host: '127.0.0.1', port: 0 });
  const before = live.snapshot;
  live.snapshot = aSnapshot({ servers, agents, grants: [aGrant(alice, mail, { kind: 'resources' })] });
  const resourceSubscriptions = Array.from({ length: 1000 }, (_, at) => `mail://${'x'.repeat(100)}${String(at)}`);
  const heard = heardOn(await listen(alice.token, { resourceSubscriptions }, wide.port));
  await vi.waitFor(() => expect(heard.text).toMatch(/^event: message\ndata: .*\n\n/), 10_000);
  expect(JSON.parse(/data: (.*)/.exec(heard.text)?.[1] ?? '')).toMatchObject({ params: { notifications: { resourceSubscriptions } } });
  live.snapshot = before;
  await wide.close(0);
});

test('a listen begins with what is honoured, under its own id, and nothing that was not asked for', async () => {
  const response = await listen(alice.token, { toolsListChanged: true, promptsListChanged: false, resourceSubscriptions: ['files://a', 'mail://1'] });
  const heard = heardOn(response);
  await vi.waitFor(() => expect(heard.text).toMatch(/^event: message\ndata: .*\n\n/), 10_000);
  expect(JSON.parse(/data: (.*)/.exec(heard.text)?.[1] ?? '')).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: {
      notifications: { toolsListChanged: true, resourceSubscriptions: ['files://a'] },
      _meta: { 'io.modelcontextprotocol/subscriptionId': 'mine' },
    },
  });
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.destroy();
});

test('an update is told to whoever may read the resource at that moment', async () => {
  const own = aGrant(sentinel, files, { kind: 'resources' });
  const before = live.snapshot;
  live.snapshot = aSnapshot({ servers, agents, grants: [own, aGrant(alice, files, { kind: 'resources' })] });
  const responses = await Promise.all([alice, sentinel].map(({ token }) => listen(token, { resourceSubscriptions: ['files://a'] })));
  const heard = responses.map(heardOn);
  const updates = (): number[] =>
    heard.map(({ text }) => text.split('"method":"notifications/resources/updated","params":{"uri":"files://a"').length - 1);
  await vi.waitFor(() => expect(heard.every(({ text }) => text.includes('acknowledged'))).toBe(true), 10_000);
  gateway.streams.resourceUpdated(mail.id, 'files://a'); // not the server that has it
  gateway.streams.resourceUpdated(files.id, 'files://b');
  gateway.streams.resourceUpdated(files.id, 'files://a');
  await vi.waitFor(() => expect(updates()).toEqual([1, 1]), 10_000);
  live.snapshot = aSnapshot({ servers, agents, grants: [own] }); // nobody was told of it yet: the decision counts, not the news
  gateway.streams.resourceUpdated(files.id, 'files://a');
  await vi.waitFor(() => expect(updates()[1]).toBe(2), 10_000);
  expect(updates()).toEqual([1, 2]);
  live.snapshot = before;
  for (const response of responses) response.destroy();
});

describe('what is refused', () => {
  test.each([
    ['no filter', {}],
    ['a filter that is none', { notifications: [] }],
    ['a flag that is none', { notifications: { toolsListChanged: 'yes' } }],
    ['resources that are none', { notifications: { resourceSubscriptions: [1] } }],
  ])('%s', async (_what, params) => {
    expect(JSON.parse(await textOf(await post(alice.token, 'subscriptions/listen', params)))).toMatchObject({ id: 'mine', error: { code: -32602 } });
  });

  test('A65: ten thousand resources in one listen', async () => {
    const response = await listen(alice.token, { resourceSubscriptions: Array.from({ length: 10_000 }, () => 'x') });
    expect(response.statusCode).toBe(429);
    expect(JSON.parse(await textOf(response))).toMatchObject({ error: { code: -32603 } });
  });

  test('A65: one stream more than an agent may have; another agent has its own, and who leaves makes room', async () => {
    const open: IncomingMessage[] = [];
    while (open.length < STREAMS_PER_AGENT_MAX - 64) {
      open.push(...(await Promise.all(Array.from({ length: 64 }, () => listen(bob.token, { toolsListChanged: true })))));
    }
    const rush = await Promise.all(Array.from({ length: 128 }, () => listen(bob.token, { toolsListChanged: true })));
    open.push(...rush.filter(({ statusCode }) => statusCode === 200));
    expect(open.length).toBe(STREAMS_PER_AGENT_MAX);
    const refused = await listen(bob.token, { toolsListChanged: true });
    expect(refused.statusCode).toBe(429);
    expect(JSON.parse(await textOf(refused))).toMatchObject({ id: 'mine', error: { code: -32603 } });
    (await listen(alice.token, { toolsListChanged: true })).destroy();
    open[0]?.destroy();
    await vi.waitFor(async () => {
      const again = await listen(bob.token, { toolsListChanged: true });
      again.destroy();
      expect(again.statusCode).toBe(200);
    }, 10_000);
    for (const response of open) response.destroy();
    await vi.waitFor(() => expect(gateway.streams.size).toBe(0), 10_000);
  }, 60_000);
});

const choices = fc.array(
  fc.record({
    agent: fc.constantFrom(alice, bob),
    server: fc.constantFrom(files, mail),
    kind: fc.constantFrom(...LIST_KINDS),
    names: fc.constantFrom<string[]>(['*'], ['read'], ['w*', 'send'], ['sum'], ['files://a'], ['nothing']),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
  }),
  { maxLength: 6 },
);

function bytesOf(live: PolicySnapshot, agent: typeof alice, kind: ListKind): string {
  const view = gateway.views.of(agent, null, { live, now: Date.now() });
  const kinds = { tools: ['tool'], prompts: ['prompt'], resources: ['resource', 'resource_template'] } as const;
  const options = { era: 'modern', after: undefined, serverInfo: gateway.serverInfo, cursorFor: () => '' } as const;
  return kinds[kind].map((shown) => listPage(view, { kind: shown, ...options }).toString()).join();
}

test('an agent is told of a list if and only if the bytes of that list differ', async () => {
  let current = aSnapshot({ servers, agents, grants: [] });
  live.snapshot = current;
  const flags = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  const responses = await Promise.all(agents.map(({ token }) => listen(token, flags)));
  const heard = responses.map(heardOn);
  const told = (at: number): number[] => LIST_KINDS.map((kind) => (heard[at]?.text.split(`notifications/${kind}/list_changed`).length ?? 1) - 1);
  const expected = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  let rings = 0;
  await fc.assert(
    fc.asyncProperty(choices, async (picks) => {
      rings += 1;
      const grants: GrantEntry[] = picks.map(({ agent, server: of, ...rest }) => aGrant(agent, of, rest));
      if (rings % 2 === 1) grants.push(aGrant(sentinel, bell));
      const next = { ...aSnapshot({ servers, agents, grants }), changed: changedFor(agents.map(({ id }) => id)) };
      for (const [at, agent] of [alice, bob].entries()) {
        for (const [of, kind] of LIST_KINDS.entries()) {
          const counts = expected[at];
          if (counts !== undefined && bytesOf(current, agent, kind) !== bytesOf(next, agent, kind)) counts[of] = (counts[of] ?? 0) + 1;
        }
      }
      live.snapshot = current = next;
      gateway.streams.policyApplied(next);
      await vi.waitFor(() => expect([told(0), told(1), told(2)[0]]).toEqual([...expected, rings]), { timeout: 10_000, interval: 10 });
    }),
    { numRuns: 25, endOnFailure: true },
  );
  for (const response of responses) response.destroy();
  await vi.waitFor(() => expect(gateway.streams.size).toBe(0), 10_000);
}, 60_000);

const changedFor = (ids: readonly string[]): PolicySnapshot['changed'] => ({
  settings: false,
  serverIds: new Set(),
  agentIds: new Set(),
  subjectIds: new Set(ids),
});

test('a server that gains a tag is told to exactly those whose grants select it', async () => {
  const selecting = (tag: string) => ({ target: { selector: { tags: { anyOf: [tag] } } } });
  const grants = [aGrant(alice, files, selecting('new')), aGrant(bob, files, selecting('other')), aGrant(sentinel, bell)];
  live.snapshot = aSnapshot({ servers, agents, grants });
  const responses = await Promise.all(agents.map(({ token }) => listen(token, { toolsListChanged: true })));
  const heard = responses.map(heardOn);
  const told = (): number[] => heard.map(({ text }) => text.split('notifications/tools/list_changed').length - 1);
  const apply = (tagged: typeof files, bells: GrantEntry[], ids: readonly string[]): void => {
    const snapshot = aSnapshot({ servers: [tagged, mail, bell], agents, grants: [...grants.slice(0, 2), ...bells] });
    live.snapshot = { ...snapshot, changed: { ...changedFor(ids), serverIds: new Set([files.id]) } };
    gateway.streams.policyApplied(live.snapshot);
  };
  await vi.waitFor(() => expect(heard.every(({ text }) => text.includes('acknowledged'))).toBe(true), 10_000);
  apply({ ...files, tags: ['new'] }, [], [sentinel.id]);
  await vi.waitFor(() => expect(told()).toEqual([1, 0, 1]), { timeout: 10_000 });
  apply(files, [aGrant(sentinel, bell)], [sentinel.id]);
  await vi.waitFor(() => expect(told()).toEqual([2, 0, 2]), { timeout: 10_000 });
  for (const response of responses) response.destroy();
});

test('a stream ends with the task whose key opened it, and those of the agent’s own key stay', async () => {
  const exchanged = await fetch(`http://127.0.0.1:${server.port}/task-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bob.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ task: 't', servers: ['*'], ttlSeconds: 60 }),
  });
  const { key } = (await exchanged.json()) as { key: string };
  const [own, ofTask] = await Promise.all([bob.token, key].map((token) => listen(token, { toolsListChanged: true })));
  ofTask?.on('error', () => undefined).resume();
  own?.resume();
  await vi.waitFor(() => expect(gateway.streams.size).toBe(2), 10_000);
  vi.setSystemTime(Date.now() + 61_000);
  try {
    await vi.waitFor(() => expect([gateway.streams.size, ofTask?.closed]).toEqual([1, true]), 10_000);
    expect(own?.closed).toBe(false);
  } finally {
    vi.useRealTimers();
    own?.destroy();
  }
});

test('a node that would refuse a new request for its age ends its streams, in good order', async () => {
  const response = await listen(bob.token, { toolsListChanged: true });
  const heard = heardOn(response);
  await vi.waitFor(() => expect(heard.text).toContain('acknowledged'), 10_000);
  live.ageMs = (live.snapshot?.settings.staleAfterMs ?? 0) + 1;
  await vi.waitFor(() => expect(response.complete).toBe(true), 10_000);
  live.ageMs = 0;
  expect(heard.text.match(/"id":"mine","result"/g)).toHaveLength(1);
});

test('a stream that is ended again and again, and told of more, ends once', async () => {
  const response = await listen(bob.token, { toolsListChanged: true });
  const heard = heardOn(response);
  await vi.waitFor(() => expect(heard.text).toContain('acknowledged'), 10_000);
  gateway.streams.close();
  gateway.streams.close();
  gateway.streams.policyApplied(aSnapshot({ servers, agents, grants: [] }));
  await vi.waitFor(() => expect(response.complete).toBe(true), 10_000);
  expect(heard.text.match(/"id":"mine","result"/g)).toHaveLength(1);
  expect((await listen(bob.token, { toolsListChanged: true })).statusCode).toBe(503);
});
