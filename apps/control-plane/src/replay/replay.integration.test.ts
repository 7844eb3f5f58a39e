import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { serve, serveModern, type Peer } from '../testing/mcp-peers.js';
import { newOperatorToken, startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';

let own: TestApp;
let store: StoreCalls;
let peer: Peer;
let staging: Peer;
let approver: string;
const ids: Record<string, string> = {};
/** What the server was asked, and what it answers. */
const asked: unknown[] = [];
let answer = '';

beforeAll(async () => {
  own = await startTestApp({ alerts: { egressAllow: ['127.0.0.0/8'] } });
  store = callStore(own.database);
  approver = await newOperatorToken(own.app, 'approver');
  peer = await serve(async (request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const { id, method, params } = JSON.parse(await text(request)) as { id?: number; method: string; params?: unknown };
    if (id === undefined) return response.writeHead(202).end();
    if (method === 'tools/call') asked.push(params);
    else if (method !== 'initialize') return response.writeHead(400).end();
    const about = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1' } };
    const result = method === 'initialize' ? JSON.stringify(about) : answer;
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);
  });
  staging = await serveModern('reject');
  await addServer('wiki', peer.url, ['search', 'write', 'gone']);
  await addServer('staging', staging.url, ['search']);
  await own.database.definition.updateMany({ where: { name: 'gone' }, data: { state: 'removed' } });
});
beforeEach(() => {
  asked.length = 0;
  answer = '{"content":[{"type":"text","text":"found"}]}';
});
afterAll(async () => {
  await own.close();
  await Promise.all([peer.close(), staging.close()]);
});

async function addServer(slug: string, url: string, tools: readonly string[]): Promise<void> {
  const { id } = await own.database.server.create({ data: { slug, name: slug, url } });
  ids[slug] = id;
  for (const name of tools) {
    const json = Uint8Array.from(Buffer.from(JSON.stringify({ name, inputSchema: {}, annotations: { readOnlyHint: name !== 'write' } })));
    const copy = { json, hash: name, approvedJson: json, approvedHash: name };
    await own.database.definition.create({ data: { serverId: id, kind: 'tool', name, state: 'approved', ...copy } });
  }
}

const recorded = async (call: StoredCall = {}): Promise<string> => {
  const [callId = ''] = await store([{ tool: 'search', serverId: ids['wiki'] ?? '', args: '{"q":"x"}', result: answer, ...call }]);
  return callId;
};
const replay = async (callId: string, body: object = {}, token = approver) =>
  own.call('POST', `/v1/audit/calls/${callId}/replay`, { reason: 'to see', ...body }, token);

test('a recorded call is made again with its very arguments, compared, and linked to the original on record', async () => {
  const callId = await recorded();
  const { status, body } = await replay(callId);
  expect([status, body]).toMatchObject([200, { replayOf: callId, status: 'success', same: true, target: 'wiki', tool: 'search', error: null }]);
  expect(asked).toEqual([{ name: 'search', arguments: { q: 'x' } }]);
  answer = '{"content":[{"type":"text","text":"other"}],"isError":true}';
  const again = (await replay(callId)).body;
  expect(again).toMatchObject({ status: 'tool_error', same: false, comparedBy: 'value' });
  expect(again.changes).toEqual([
    { pointer: '/content/0/text', change: 'replaced', before: '"found"', after: '"other"' },
    { pointer: '/isError', change: 'added', after: 'true' },
  ]);
  const story = (await own.call('GET', `/v1/audit/calls/${callId}`)).body;
  expect(story.replays.map(({ id, same }: { id: string; same: boolean }) => [id, same])).toEqual([
    [again.id, false],
    [body.id, true],
  ]);
  const events = await own.database.auditEvent.findMany({ where: { method: { startsWith: 'operator/call.replay' } }, orderBy: { seq: 'asc' } });
  const said = events.map((event) => [event.method, JSON.parse(Buffer.from(event.arguments ?? []).toString()).change.replayOf]);
  expect(said).toEqual(['call.replayed', 'call.replay-ended', 'call.replayed', 'call.replay-ended'].map((action) => [`operator/${action}`, callId]));
});

test('a staging server that offers the same tool can be asked instead, in its own era', async () => {
  const { body } = await replay(await recorded(), { target: 'staging' });
  expect(body).toMatchObject({ status: 'success', server: 'wiki', target: 'staging', same: false });
  expect(body.changes).toEqual([{ pointer: '/content', change: 'replaced', before: expect.stringContaining('found'), after: '[]' }]);
  expect(asked).toEqual([]);
});

test.each([
  ['were not kept whole', { args: undefined }],
  ['it was refused', { status: 'denied' }],
  ['no such approved tool', { tool: 'gone' }],
  ['does not say that it only reads', { tool: 'write' }],
])('a call is not made again where %s', async (why, call) => {
  const { status, body } = await replay(await recorded(call as StoredCall), {}, own.admin);
  expect([status, body.type, body.detail]).toEqual([409, 'urn:portcullis:problem:not_replayable', expect.stringContaining(why)]);
  expect(asked).toEqual([]);
});

test('arguments that were redacted are not taken for those of the call', async () => {
  expect((await replay(await recorded({ args: '{"q":"[redacted]"}', argsHash: 'a'.repeat(64) }))).status).toBe(409);
});

test('what may write is made again by administrators only, who say so', async () => {
  const callId = await recorded({ tool: 'write' });
  expect((await replay(callId, { allowWrites: true })).status).toBe(403);
  expect((await replay(callId, { allowWrites: true }, own.admin)).body.status).toBe('success');
  expect((await replay(callId, {}, own.auditor)).status).toBe(403);
  expect((await own.call('POST', `/v1/audit/calls/${callId}/replay`, {})).status).toBe(400);
  expect((await replay('0198c1f0-0000-7000-8000-000000000009', {}, own.admin)).status).toBe(404);
});

test('a server that is not to be reached leaves a replay that failed, with the reason', async () => {
  await addServer('away', 'http://127.0.0.1:1/mcp', ['search']);
  await addServer('private', 'http://10.1.2.3/mcp', ['search']);
  for (const target of ['away', 'private']) {
    const { body } = await replay(await recorded(), { target });
    expect(body).toMatchObject({ status: 'failed', same: null, comparedBy: 'none', resultHash: null });
    expect(body.error).toEqual(expect.any(String));
  }
});

test('of a result of which only a part was kept, digests are compared', async () => {
  answer = JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(2000) }] });
  const callId = await recorded();
  expect((await replay(callId)).body).toMatchObject({ same: true, comparedBy: 'hash' });
  answer = answer.replace('xx', 'xy');
  expect((await replay(callId)).body).toMatchObject({ same: false, comparedBy: 'hash', changes: [] });
});
