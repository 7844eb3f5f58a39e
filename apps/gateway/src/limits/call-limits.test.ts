import type { CallLimitEntry, CallLimitTerms } from '@portcullis/contracts/limits';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { eventually } from '../testing/eventually.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

// Nothing answers for Redis here: each limit is counted by this node alone.
const { gateway, live, events } = buildGateway(undefined);
const tools = [aTool('run'), aTool('run_all'), aTool('walk')];
let upstream: ScriptedServer;
let node: GatewayServer;
let calls = 0;
let release: (() => void) | undefined;
let limitCount = 0;

beforeAll(async () => {
  upstream = await startScriptedServer();
  upstream.answer = async ({ json, message }) => {
    calls += 1;
    if (JSON.stringify(message.params).includes('held')) await new Promise<void>((resolve) => (release = resolve));
    json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  };
  node = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await node.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
beforeEach(() => {
  calls = 0;
  events.length = 0;
});
afterEach(() => void vi.useRealTimers());

/** A limit of its own each time: what was counted before is nobody's. */
const limit = (terms: CallLimitTerms, of?: string[]): CallLimitEntry => {
  limitCount += 1;
  return { id: `00000000-0000-4000-8000-${String(limitCount).padStart(12, '0')}`, terms, ...(of !== undefined && { tools: of }) };
};

function given(ofAgent: CallLimitEntry[], ofServer: CallLimitEntry[] = []) {
  const agents = ['alice', 'bob'].map((slug, at) => anAgent(slug, at === 0 && ofAgent.length > 0 ? { callLimits: ofAgent } : {}));
  const server = aServer('one', tools, { url: upstream.url, era: 'modern', ...(ofServer.length > 0 && { callLimits: ofServer }) });
  live.snapshot = aSnapshot({ servers: [server], agents, grants: agents.map((agent) => aGrant(agent, server, { names: ['run*'] })) });
  const [alice, bob] = agents.map(
    ({ token }) =>
      (name: string, args: object = {}) =>
        call(token, name, args),
  );
  return { alice: alice ?? never, bob: bob ?? never };
}
const never = (): Promise<Response> => Promise.reject(new Error('no agent'));

const call = (token: string, name: string, args: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${String(node.port)}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
  });
const statuses = async (...answers: Promise<Response>[]): Promise<number[]> => (await Promise.all(answers)).map(({ status }) => status);
const recorded = () =>
  events.filter(({ phase }) => phase !== 'intent').map(({ agent, decision, reason, status }) => ({ agent, decision, reason, status }));

test('an agent has so many calls in a window: one more is 429 with when to come back, names the limit on record and reaches no server', async () => {
  const own = limit({ kind: 'rate', calls: 2, perSeconds: 60 });
  const { alice, bob } = given([own]);
  expect([(await alice('one__run')).status, (await alice('one__run_all')).status]).toEqual([200, 200]);
  const refused = await alice('one__run');
  const seconds = Number(refused.headers.get('retry-after'));
  expect([refused.status, calls]).toEqual([429, 2]);
  expect(seconds).toBeGreaterThan(50);
  expect(await refused.json()).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32603, message: 'Too many calls', data: { retryAfterSeconds: seconds } },
  });
  expect(recorded().at(-1)).toEqual({ agent: 'alice', decision: 'deny', reason: `rate_limited:${own.id}`, status: 'denied' });
  expect((await bob('one__run')).status).toBe(200);
});

test('a quota says when its day ends', async () => {
  const { alice } = given([limit({ kind: 'quota', calls: 1, per: 'day' })]);
  vi.setSystemTime(Date.UTC(2026, 10, 23, 23));
  expect((await alice('one__run')).status).toBe(200);
  const refused = await alice('one__run');
  expect(Math.abs(Number(refused.headers.get('retry-after')) - 3600)).toBeLessThan(30);
  expect(await refused.json()).toMatchObject({ error: { message: 'The calls for this period are used up' } });
});

test('a server is shared by its agents, and each tool that a limit names has it to itself', async () => {
  const together = given([], [limit({ kind: 'rate', calls: 2, perSeconds: 60 })]);
  expect(await statuses(together.alice('one__run'), together.bob('one__run'))).toEqual([200, 200]);
  expect(await statuses(together.alice('one__run_all'), together.bob('one__run'))).toEqual([429, 429]);
  const each = given([], [limit({ kind: 'rate', calls: 1, perSeconds: 60 }, ['run*'])]);
  expect(await statuses(each.alice('one__run'), each.bob('one__run_all'))).toEqual([200, 200]);
  expect(await statuses(each.bob('one__run'), each.alice('one__run_all'))).toEqual([429, 429]);
});

test('what one limit refuses costs nothing of another', async () => {
  const ofAgent = limit({ kind: 'rate', calls: 2, perSeconds: 60 });
  const { alice } = given([ofAgent], [limit({ kind: 'rate', calls: 1, perSeconds: 60 }, ['run'])]);
  expect((await alice('one__run')).status).toBe(200);
  // One after the other: meanwhile a call that is refused in the end may hold what another asks for.
  for (let at = 0; at < 3; at += 1) expect((await alice('one__run')).status).toBe(429);
  expect(recorded().filter(({ reason }) => reason?.endsWith(ofAgent.id))).toEqual([]);
});

test('an agent has so many calls at once; the next has a place when one ends, also one that was cut off', async () => {
  const { alice, bob } = given([limit({ kind: 'concurrency', calls: 1 })]);
  const held = alice('one__run', { held: true });
  await eventually(() => expect(calls).toBe(1));
  const refused = await alice('one__run');
  expect([refused.status, refused.headers.get('retry-after'), (await bob('one__run')).status]).toEqual([429, '1', 200]);
  expect(await refused.json()).toMatchObject({ error: { message: 'Too many calls at once' } });
  release?.();
  expect((await held).status).toBe(200);
  expect((await alice('one__run')).status).toBe(200);
});

test('a spent limit hides nothing, and tells nothing of what is not granted', async () => {
  const limited = given([limit({ kind: 'rate', calls: 1, perSeconds: 60 })], [limit({ kind: 'rate', calls: 1, perSeconds: 60 }, ['walk'])]);
  await limited.alice('one__run');
  const unknown = await limited.alice('one__walk');
  const free = given([]);
  expect([unknown.status, await unknown.text()]).toEqual([200, await (await free.alice('one__walk')).text()]);
});
