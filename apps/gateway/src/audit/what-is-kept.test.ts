import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NewAuditEvent } from '@portcullis/contracts/audit';
import type { CaptureEntry, ServerCaptureEntry } from '@portcullis/contracts/capture';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, live, events } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;
let result: Record<string, unknown>;
let forwarded: unknown;

beforeAll(async () => {
  upstream = await startScriptedServer();
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
  upstream.answer = ({ json, message }) => {
    forwarded = (message as { params?: { arguments?: unknown } }).params?.arguments;
    json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...result } });
  };
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
beforeEach(() => {
  events.length = 0;
  result = { content: [{ type: 'text', text: 'fine' }] };
});

/** What is captured for all, and at the one server. */
function rules(capture?: CaptureEntry, ofServer?: ServerCaptureEntry): void {
  const offered = [aTool('work'), aTool('search_all'), aTool('search'), aDefinition('resource_template', 'db://{+place}')];
  const one = aServer('one', offered, { url: upstream.url, era: 'modern', ...(ofServer && { capture: ofServer }) });
  const grants = [aGrant(agent, one, { names: ['work', 'search*'] }), aGrant(agent, one, { kind: 'resources', names: ['*'] })];
  live.snapshot = aSnapshot({ servers: [one], agents: [agent], grants, settings: capture && { capture } });
}

const post = async (method: string, params: Record<string, unknown>): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.text();
};
const call = (args: unknown, name = 'one__work'): Promise<string> => post('tools/call', { name, arguments: args });

const textOf = (kept: string | null | undefined): string | null =>
  kept === null || kept === undefined ? null : Buffer.from(kept, 'base64').toString();
const row = (phase: NewAuditEvent['phase']): NewAuditEvent => {
  const found = events.find((event) => event.phase === phase);
  if (found === undefined) throw new Error(`No ${phase} was recorded`);
  return found;
};
const argumentsKept = (): unknown => JSON.parse(textOf(row('intent').arguments) ?? 'null');

test('unless told otherwise secrets are replaced on record, and go on untouched', async () => {
  rules();
  result = { content: [{ type: 'text', text: 'token: "x1" for https://me:pw@db.example.com/' }], structuredContent: { apiKey: 'abc' } };
  const args = { user: 'me', password: 'hunter2', note: `it is ${agent.token}` };
  const answer = await call(args);
  expect(forwarded).toEqual(args);
  expect(answer).toContain('me:pw@db');
  expect(argumentsKept()).toEqual({ user: 'me', password: '[redacted:field]', note: 'it is [redacted:portcullis-key]' });
  expect(row('intent')).toMatchObject({ argumentsCapture: 'redacted', argumentsHash: expect.stringMatching(/^hmac:test:/), truncated: false });
  expect(textOf(row('outcome').resultSummary)).toContain('https://[redacted:url-credentials]@db.example.com/');
  expect(textOf(row('outcome').resultSummary)).toContain('"apiKey":"[redacted:field]"');
  expect(row('outcome')).toMatchObject({ resultCapture: 'redacted', arguments: null, argumentsCapture: null });
});

test('a call without secrets is on record to the byte, and says nothing of it', async () => {
  rules();
  await call({ title: 'Größe 5' });
  expect(argumentsKept()).toEqual({ title: 'Größe 5' });
  for (const event of [row('intent'), row('outcome')]) expect(event).toMatchObject({ argumentsCapture: null, resultCapture: null });
  expect(row('intent').argumentsHash).toMatch(/^[0-9a-f]{64}$/);
});

test('a tool is kept as its own rule says, else as its server, else as all; places to replace add up', async () => {
  const tools = [
    { names: ['search'], arguments: { mode: 'hashed' as const } },
    { names: ['search*'], arguments: { paths: ['/b'] }, results: { mode: 'full' as const, bytesMax: 20 } },
  ];
  rules({ arguments: { paths: ['/a'] } }, { results: { mode: 'none' }, tools });
  await call({ a: 1, b: 2 });
  expect(argumentsKept()).toEqual({ a: '[redacted:path]', b: 2 });
  expect(row('outcome')).toMatchObject({ resultCapture: 'none', resultHash: null, resultSummary: null, resultBytes: expect.any(Number) });
  events.length = 0;
  await call({ a: 1, b: 2 }, 'one__search_all');
  expect(argumentsKept()).toEqual({ a: '[redacted:path]', b: '[redacted:path]' });
  expect(row('outcome')).toMatchObject({ resultCapture: null, truncated: true });
  expect(textOf(row('outcome').resultSummary)).toHaveLength(20);
  events.length = 0;
  await call({ a: 1, b: 2 }, 'one__search');
  expect(row('intent')).toMatchObject({ argumentsCapture: 'hashed', arguments: null, argumentsBytes: 13 });
  expect(row('outcome')).toMatchObject({ resultCapture: 'none' });
});

test('equal arguments have equal digests, whatever their order, and whether hashed or redacted', async () => {
  const digests: (string | null)[] = [];
  for (const mode of ['hashed', 'redacted'] as const)
    for (const args of [
      { a: 1, password: 'x' },
      { password: 'x', a: 1 },
    ]) {
      rules({ arguments: { mode } });
      events.length = 0;
      await call(args);
      digests.push(row('intent').argumentsHash);
    }
  expect(new Set(digests).size).toBe(1);
});

test('what is refused is kept by the rules of what was asked for, and its name holds no key', async () => {
  rules(undefined, { arguments: { mode: 'none' } });
  await call({ secretly: 'said' }, 'one__unknown');
  expect(row('single')).toMatchObject({ server: 'one', argumentsCapture: 'none', arguments: null, argumentsHash: null });
  events.length = 0;
  await call({ password: 'hunter2' }, `nowhere__${agent.token}`);
  expect(row('single')).toMatchObject({ tool: 'nowhere__[redacted:portcullis-key]', argumentsCapture: 'redacted' });
  expect(textOf(row('single').arguments)).toBe('{"password":"[redacted:field]"}');
});

test('credentials in the address of a resource are not on record', async () => {
  rules();
  await post('resources/read', { uri: 'db://reader:hunter2@db.example.com/app' });
  expect(events.map(({ tool }) => tool)).toEqual(Array(events.length).fill('db://[redacted:url-credentials]@db.example.com/app'));
  expect(events.length).toBeGreaterThan(0);
});

test('a large answer that passes while it comes leaves no secret either', async () => {
  rules();
  result = { content: [{ type: 'text', text: `Bearer ${'a1'.repeat(30)} ${'x'.repeat(200_000)}` }] };
  expect(await call({})).toContain('a1a1');
  expect(textOf(row('outcome').resultSummary)).toContain('Bearer [redacted:authorization] xxx');
  expect(row('outcome')).toMatchObject({ resultCapture: 'redacted', truncated: true });
});
