import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders, modernHeaders, modernMeta } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type Scripted, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const bob = anAgent('bob');
const { gateway, events, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;

beforeAll(async () => {
  upstream = await startScriptedServer();
  const limits = { concurrency: 4, firstByteTimeoutMs: 20_000, totalTimeoutMs: 25_000, resultBytesMax: 10_000 };
  const mirrored = aTool('mirrored', { inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } });
  const modern = aServer('m', [aTool('run'), mirrored], { url: upstream.url, era: 'modern', limits });
  const legacy = aServer('l', [aTool('run')], { url: upstream.url, era: 'legacy', limits });
  const hasty = aServer('h', [aTool('run')], {
    url: upstream.url,
    era: 'modern',
    limits: { ...limits, firstByteTimeoutMs: 1500, totalTimeoutMs: 2500 },
  });
  const nowhere = aServer('n', [aTool('run')], { url: 'http://127.0.0.1:9/mcp', era: 'modern', limits });
  const servers = [modern, legacy, hasty, nowhere];
  live.snapshot = aSnapshot({ servers, agents: [agent, bob], grants: servers.flatMap((one) => [aGrant(agent, one), aGrant(bob, one)]) });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
afterEach(() => {
  live.audits = true;
  events.length = 0;
  upstream.methods.length = 0;
});

async function call(
  name: string,
  options: { token?: string; era?: 'legacy' | 'modern'; headers?: Record<string, string>; signal?: AbortSignal; params?: object } = {},
) {
  const { token = agent.token, era = 'legacy', headers = {}, signal, params = {} } = options;
  const modern = modernHeaders('tools/call', name);
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(token),
      ...(era === 'modern' && modern),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name, ...params, ...(era === 'modern' && { _meta: modernMeta }) },
    }),
    ...(signal !== undefined && { signal }),
  });
  return { status: response.status, text: await response.text() };
}

const complete = { content: [], resultType: 'complete' };
const failure = (reason: string) => ({ status: 200, text: expect.stringMatching(new RegExp(`"id":7,.*-32603.*"reason":"${reason}"`)) as unknown });
const phases = () => events.map(({ phase, status, reason }) => `${phase} ${status} ${reason ?? ''}`);

describe('whatever a server does, the agent gets one typed error, and the trail an outcome', () => {
  test.each<[string, string, (exchange: Scripted) => void]>([
    ['an answer to another request', 'protocol', ({ json }) => json({ jsonrpc: '2.0', id: 'other', result: complete })],
    ['no JSON', 'protocol', ({ json }) => json('{')],
    ['no UTF-8', 'protocol', ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0xff]))],
    ['no result', 'protocol', ({ json, message }) => json({ jsonrpc: '2.0', id: message.id })],
    ['a redirect', 'protocol', ({ response }) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['a 500', 'protocol', ({ json }) => json('{}', 500)],
    ['a 401', 'protocol', ({ json }) => json('{}', 401)],
    ['an empty 202', 'protocol', ({ response }) => response.writeHead(202).end()],
    [
      'a question nobody relays',
      'protocol',
      ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'input_required' } }),
    ],
    ['too much', 'too_large', ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: 'x'.repeat(20_000) } })],
    ['a hung up connection', 'cut', ({ response }) => response.destroy()],
    [
      'a stream without an answer',
      'protocol',
      ({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
    ],
    [
      'an event without end',
      'too_large',
      ({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${'x'.repeat(20_000)}`),
    ],
    ['silence', 'timeout', () => undefined],
    ['a stream that says nothing', 'timeout', ({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()],
  ])('%s', async (_what, reason, answer) => {
    upstream.answer = answer;
    expect(await call(reason === 'timeout' ? 'h__run' : 'm__run')).toEqual(failure(reason));
    expect(phases()).toEqual([expect.stringMatching(/^intent pending/), expect.stringMatching(/^outcome (?:upstream_error|timeout) upstream\./)]);
    expect(events[1]?.upstreamUs).toEqual(expect.any(Number));
    expect(upstream.methods).toEqual(['tools/call']);
  });

  test('a server that is not there', async () => {
    expect(await call('n__run')).toEqual(failure('unreachable'));
  });
});

describe('an answer', () => {
  test('passes as the server’s bytes, whatever is in it', async () => {
    const result = '{"content":[{"type":"new","x":1.0,"big":12345678901234567890}],"resultType":"complete","unknown":{"a":[]}}';
    upstream.answer = ({ json, message }) => json(`{"jsonrpc":"2.0","id":"${message.id ?? ''}","result":${result}}`);
    for (const era of ['legacy', 'modern'] as const) {
      expect(await call('m__run', { era })).toEqual({ status: 200, text: `{"jsonrpc":"2.0","result":${result},"id":7}` });
    }
  });

  test('cannot take the place of another by a second id', async () => {
    upstream.answer = ({ json, message }) =>
      json(`{"jsonrpc":"2.0","id":"${message.id ?? ''}","result":{"resultType":"complete"},"id":8,"id":"${message.id ?? ''}"}`);
    expect(JSON.parse((await call('m__run')).text)).toMatchObject({ id: 7 });
  });

  test('of a legacy server is whole to a modern client', async () => {
    upstream.answer = ({ json, message, response }) => {
      if (message.method === 'initialize') json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
      else if (message.id === undefined) response.writeHead(202).end();
      else json(`{"jsonrpc":"2.0","id":"${message.id}","result":{"content":[1.0]}}`);
    };
    const { text } = await call('l__run', { era: 'modern' });
    expect(text).toContain('"content":[1.0]');
    expect(JSON.parse(text)).toMatchObject({
      result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'portcullis' } } },
    });
  });

  test('is withheld, and the server not called, where nothing can be recorded', async () => {
    live.audits = false;
    upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: complete });
    expect(await call('m__run')).toMatchObject({ status: 503, text: expect.stringContaining('audit_unavailable') as unknown });
    expect(upstream.methods).toEqual([]);
    live.audits = true;
    upstream.answer = ({ json, message }) => {
      live.audits = false;
      json({ jsonrpc: '2.0', id: message.id, result: { content: ['secret'] } });
    };
    const answer = await call('m__run');
    expect(answer).toMatchObject({ status: 503, text: expect.stringContaining('audit_unavailable') as unknown });
    expect(answer.text).not.toContain('secret');
  });
});

describe('a call', () => {
  test('beyond the agent’s share of the server’s places is refused at once, and a place is free again after each', async () => {
    const held: (() => void)[] = [];
    upstream.answer = ({ json, message }) => held.push(() => json({ jsonrpc: '2.0', id: message.id, result: complete }));
    const running = [call('m__run'), call('m__run')];
    await vi.waitFor(() => expect(held).toHaveLength(2), 10_000);
    expect(await call('m__run')).toEqual(failure('busy'));
    expect(held).toHaveLength(2);
    const others = call('m__run', { token: bob.token }); // an agent leaves as many free as it takes
    await vi.waitFor(() => expect(held).toHaveLength(3), 10_000);
    for (const release of held) release();
    for (const answer of await Promise.all([...running, others])) expect(answer.status).toBe(200);
    upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: complete });
    expect((await call('m__run')).text).toContain('complete');
  });

  test('is broken off at the server when a modern client goes away, and recorded as cancelled', async () => {
    let gone = false;
    upstream.answer = ({ response }) => response.on('close', () => (gone = true));
    const leaving = new AbortController();
    const answer = call('m__run', { era: 'modern', signal: leaving.signal });
    await vi.waitFor(() => expect(upstream.methods).toEqual(['tools/call']), 10_000);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(gone).toBe(true), 10_000);
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ phase: 'outcome', status: 'cancelled' }), 10_000);
  });

  test('goes on when a legacy client goes away, and its outcome is recorded', async () => {
    let release = (): void => undefined;
    upstream.answer = ({ json, message }) => {
      release = () => json({ jsonrpc: '2.0', id: message.id, result: complete });
    };
    const leaving = new AbortController();
    const answer = call('m__run', { signal: leaving.signal });
    await vi.waitFor(() => expect(upstream.methods).toEqual(['tools/call']), 10_000);
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    release();
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ phase: 'outcome', status: 'success' }), 10_000);
  });

  test('of an old client is answered with text for content that its revision has not', async () => {
    const link = { type: 'resource_link', uri: 'file:///a', name: 'a' };
    upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [link] } });
    const start = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
      method: 'POST',
      headers: mcpHeaders(agent.token),
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    });
    const session = { 'mcp-session-id': start.headers.get('mcp-session-id') ?? '' };
    expect((await call('m__run', { headers: session })).text).toContain(JSON.stringify([{ type: 'text', text: 'a\nfile:///a' }]));
    expect((await call('m__run', { headers: { 'mcp-protocol-version': '2025-06-18' } })).text).toContain(JSON.stringify(link));
  });

  test('of a modern client must mirror its arguments where the tool says so, and is mirrored anew to the server', async () => {
    let region: unknown;
    upstream.answer = ({ json, message, request }) => {
      region = request.headers['mcp-param-region'];
      json({ jsonrpc: '2.0', id: message.id, result: complete });
    };
    const params = { arguments: { region: 'eu' } };
    expect(await call('m__mirrored', { era: 'modern', params })).toMatchObject({ status: 400, text: expect.stringContaining('-32020') as unknown });
    expect(await call('m__mirrored', { era: 'modern', params, headers: { 'mcp-param-region': 'eu' } })).toMatchObject({ status: 200 });
    expect(region).toBe('eu');
    region = undefined;
    expect(await call('m__mirrored', { params })).toMatchObject({ status: 200 });
    expect(region).toBe('eu');
  });
});
