import { createSealer } from '@portcullis/secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { askingDefinitions, startLegacyAskingServer, startModernAskingServer, type AskingServer } from '../testing/asking-servers.js';
import { mcpHeaders, modernHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, settings } from '../testing/policy-builders.js';
import type { Policy } from '../testing/policy-publisher.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';
import { RequestStates, type StatePlace } from './request-states.js';

let stack: TestStack;
let policy: Policy;
let servers: Record<'old' | 'new', AskingServer>;
const [alice, bob, carol] = [anAgent('alice'), anAgent('bob'), anAgent('carol')];

beforeAll(async () => {
  const [old, fresh, started] = await Promise.all([startLegacyAskingServer(), startModernAskingServer(), startTestStack(2)]);
  servers = { old, new: fresh };
  stack = started;
  const entries = [
    aServer('old', askingDefinitions, { url: old.url, era: 'legacy' }),
    aServer('new', askingDefinitions, { url: fresh.url, era: 'modern' }),
  ];
  const agents = [alice, bob, carol];
  policy = { servers: entries, agents, grants: agents.flatMap((agent) => entries.map((entry) => aGrant(agent, entry))), settings };
  await stack.publish(policy);
});
afterAll(async () => {
  await Promise.all([stack.stop(), servers.old.close(), servers.new.close()]);
});
beforeEach(() => {
  servers.old.bodies.length = 0;
  servers.new.bodies.length = 0;
});

interface Result {
  readonly id: number;
  readonly result?: { readonly resultType: string; readonly requestState: string; readonly inputRequests: object; readonly content: object };
  readonly error?: { readonly code: number; readonly message: string };
}
interface Call {
  readonly token?: string;
  readonly node?: number;
  readonly params?: object;
  readonly signal?: AbortSignal;
}

let id = 0;

/** One call of a modern client that can be asked everything. */
async function call(name: string, { token = alice.token, node = 0, params = {}, signal }: Call = {}): Promise<Result> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
  };
  id += 1;
  const response = await fetch(new URL('/mcp', stack.urls[node]), {
    method: 'POST',
    headers: {
      ...mcpHeaders(token),
      ...modernHeaders('tools/call', name),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {}, ...params, _meta } }),
    ...(signal !== undefined && { signal }),
  });
  const text = await response.text();
  return JSON.parse(text.startsWith('{') ? text : (/^data: (\{.*"id":.*)$/m.exec(text)?.[1] ?? text)) as Result;
}

async function asked(name: string, rest: Call = {}) {
  const { result } = await call(name, rest);
  expect(result).toMatchObject({ resultType: 'input_required' });
  const [key] = Object.keys(result?.inputRequests ?? {});
  return { requestState: result?.requestState ?? '', inputResponses: { [key ?? '']: { action: 'accept', content: { name: 'Ada' } } } };
}
const refused = { error: { code: -32602, message: 'Invalid or expired request state' } };

describe.each(['old', 'new'] as const)('what a client brings back for the server %s is refused', (slug) => {
  const name = `${slug}__form`;
  const toldServer = (): string[] => servers[slug].bodies.filter((body) => body.includes('Ada'));

  test('when it was changed', async () => {
    const { requestState, inputResponses } = await asked(name);
    for (const forged of [`${requestState}A`, `${requestState}-TAMPERED`, requestState.slice(0, -4), '', 'v1.x.y', requestState.toUpperCase()])
      expect(await call(name, { params: { requestState: forged, inputResponses } })).toMatchObject(refused);
    expect(toldServer()).toEqual([]);
    expect(await call(name, { params: { requestState, inputResponses } })).toMatchObject({ result: { resultType: 'complete' } });
  });

  test('when it is another agent’s, another tool’s, or comes with other arguments', async () => {
    const { requestState, inputResponses } = await asked(name);
    const params = { requestState, inputResponses };
    expect(await call(name, { token: bob.token, params })).toMatchObject(refused);
    expect(await call(`${slug}__twice`, { params })).toMatchObject(refused);
    expect(await call(`${slug === 'old' ? 'new' : 'old'}__form`, { params })).toMatchObject(refused);
    expect(await call(name, { params: { ...params, arguments: { other: 1 } } })).toMatchObject(refused);
    expect(toldServer()).toEqual([]);
  });

  test('when it answers what was not asked', async () => {
    const { requestState, inputResponses } = await asked(name);
    const params = { requestState, inputResponses: { ...inputResponses, other: { action: 'accept' } } };
    expect(await call(name, { params })).toMatchObject(refused);
    expect(toldServer()).toEqual([]);
  });

  test('when it was brought before, to whatever node', async () => {
    const params = await asked(name);
    expect(await call(name, { node: 1, params })).toMatchObject({ result: { resultType: 'complete' } });
    for (const node of [0, 1]) expect(await call(name, { node, params })).toMatchObject(refused);
    expect(toldServer()).toHaveLength(1);
  });

  test('when the grant has gone since, as for a tool that does not exist', async () => {
    const params = await asked(name);
    await stack.publish({ ...policy, grants: policy.grants.filter(({ subject }) => !('agentId' in subject) || subject.agentId !== alice.id) });
    for (const node of [0, 1]) expect((await call(name, { node, params })).error?.message).toBe(`Unknown tool: ${name}`);
    await stack.publish(policy);
    expect(toldServer()).toEqual([]);
  });
});

test('a state is good for ten minutes', async () => {
  const clock = { now: 1000 };
  const sealer = createSealer({ current: { id: 'k', key: Buffer.alloc(32, 5) } });
  const kept = new Set<string>();
  const store = {
    get: async () => null,
    setIfAbsent: async (key: string) => kept.size !== kept.add(key).size,
    set: async () => undefined,
    delete: async () => undefined,
  };
  const states = new RequestStates({ sealer: () => sealer, store, now: () => clock.now });
  const place: StatePlace = { agentId: 'a', serverId: 's', method: 'tools/call', name: 't', argumentsJson: undefined };
  const sealed = states.seal({ kind: 'server', state: 'x', keys: [] }, place);
  clock.now += 599_999;
  expect(await states.open(sealed, place)).toMatchObject({ state: 'x' });
  const late = states.seal({ kind: 'server', state: 'x', keys: [] }, place);
  clock.now += 600_000;
  expect(await states.open(late, place)).toBeUndefined();
});

test('an answer that leaves something out is asked for again', async () => {
  const { requestState } = await asked('old__form', { token: carol.token });
  const again = await call('old__form', { token: carol.token, node: 1, params: { requestState } });
  expect(again).toMatchObject({ result: { resultType: 'input_required' } });
  expect(again.result?.requestState).not.toBe(requestState);
});

test('a call that nobody can answer any more ends with a clear error, not in silence', async () => {
  const other = await startTestStack(2);
  const entry = aServer('old', askingDefinitions, { url: servers.old.url, era: 'legacy' });
  await other.publish({ servers: [entry], agents: [alice], grants: [aGrant(alice, entry)], settings });
  const { urls } = stack;
  try {
    stack = { ...stack, urls: other.urls };
    const params = await asked('old__form');
    await other.stopNode(0);
    expect(await call('old__form', { node: 1, params })).toMatchObject({
      error: { code: -32603, message: 'The call that waited for this input is gone', data: { reason: 'call_lost' } },
    });
    expect(await call('old__form', { node: 1 })).toMatchObject({ result: { resultType: 'input_required' } }); // made anew, it goes on
    await vi.waitFor(async () => {
      const events = (await other.events()).filter(({ method }) => method === 'tools/call');
      expect(events.map(({ phase, status }) => `${phase} ${status}`)).toEqual(expect.arrayContaining(['intent pending', 'outcome cancelled']));
    }, 10_000);
  } finally {
    stack = { ...stack, urls };
    await other.stop();
  }
});

test.each([0, 1])('a client that goes away from node %i ends the call at the server, though another node may hold it', async (node) => {
  const params = await asked('old__stall');
  const leaving = new AbortController();
  const answer = call('old__stall', { node, params, signal: leaving.signal });
  await vi.waitFor(() => expect(servers.old.bodies.some((body) => body.includes('Ada'))).toBe(true), 10_000);
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  await vi.waitFor(() => expect(servers.old.bodies.some((body) => body.includes('notifications/cancelled'))).toBe(true), 10_000);
  await vi.waitFor(async () => {
    const rows = (await stack.events()).filter(({ tool, phase }) => tool === 'stall' && phase === 'outcome');
    expect(rows.map(({ status }) => status)).toEqual(Array.from({ length: node + 1 }, () => 'cancelled'));
  }, 10_000);
});

test('one agent holds sixteen calls open on a node, and others are not held up by it', async () => {
  const held = await Promise.all(Array.from({ length: 20 }, () => call('old__form', { token: bob.token })));
  expect(held.filter(({ result }) => result?.resultType === 'input_required')).toHaveLength(16);
  expect(held.filter(({ error }) => error?.message === 'Too many calls wait for input')).toHaveLength(4);
  await asked('old__form');
});

describe('an answer to a question put to a legacy client', () => {
  const headers = (token: string, session?: string) => ({
    ...mcpHeaders(token),
    ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
  });
  const post = (body: object, { token = alice.token, session, node = 0 }: { token?: string; session?: string; node?: number }): Promise<Response> =>
    fetch(new URL('/mcp', stack.urls[node]), {
      method: 'POST',
      headers: headers(token, session),
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
  async function initialize(token = alice.token): Promise<string> {
    const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'raw', version: '1' } };
    const response = await post({ id: 1, method: 'initialize', params }, { token });
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  }

  test.each(['old__form', 'new__form'])('is taken once, from the session that was asked (%s)', async (name) => {
    const session = await initialize();
    const [others, bobs] = [await initialize(), await initialize(bob.token)];
    const response = await post({ id: 2, method: 'tools/call', params: { name, arguments: {} } }, { session });
    const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
    /** What has come by the time that this has. */
    const heard = async (wanted: RegExp): Promise<string> => {
      let text = '';
      for (let read = await reader.read(); !read.done; read = await reader.read()) if (wanted.test((text += read.value))) return text;
      return text;
    };
    const question = JSON.parse(/^data: (\{.*)$/m.exec(await heard(/^data: \{.*\n/m))?.[1] ?? '') as { id: string; method: string };
    expect(question.method).toBe('elicitation/create');
    const answer = { id: question.id, result: { action: 'accept', content: { name: 'Ada' } } };
    for (const wrong of [{ session: others }, { session: bobs, token: bob.token }, {}])
      for (const node of [0, 1]) expect((await post(answer, { ...wrong, node })).status).toBe(400);
    expect((await post({ ...answer, id: `${question.id}A` }, { session })).status).toBe(400);
    expect((await post({ ...answer, id: 1 }, { session })).status).toBe(400);
    expect((await post(answer, { session: bobs, token: alice.token })).status).toBe(404);
    expect((await post(answer, { session, node: 1 })).status).toBe(202);
    expect((await post(answer, { session, node: 1 })).status).toBe(400);
    expect((await post(answer, { session, node: 0 })).status).toBe(400);
    expect(await heard(/Ada/)).toContain('Ada');
    const row = { agent: 'alice', tool: 'form', status: 'success', reason: expect.stringMatching(/^asked_in:/) as unknown };
    // An answer waits for its record, which may lie in the spool before it is in the queue.
    await vi.waitFor(async () => {
      const trail = (await stack.events()).filter(({ method }) => method === 'elicitation/create');
      expect(trail).toContainEqual(expect.objectContaining(row));
    }, 10_000);
  });
});
