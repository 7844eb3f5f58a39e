import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { HeldCalls } from '../testing/held-calls.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
let stack: TestStack;
let upstream: ScriptedServer;
const calls = new HeldCalls();
const { held, told } = calls;

const servers = () => (['legacy', 'modern'] as const).map((era) => aServer(era, [aTool('wait')], { url: upstream.url, era }));
let known: ReturnType<typeof servers> = [];
const policy = () => ({ servers: known, agents: [alice, bob], grants: known.flatMap((one) => [aGrant(alice, one), aGrant(bob, one)]), settings });

beforeAll(async () => {
  [stack, upstream] = await Promise.all([startTestStack(2), startScriptedServer()]);
  upstream.answer = calls.answer;
  known = servers();
});
afterAll(async () => {
  await Promise.all([stack.stop(), upstream.close()]);
});
afterEach(() => calls.drop());

const headersOf = (token: string) => mcpHeaders(token);
const call = (node: number, name: string, { token } = alice) =>
  fetch(`${stack.urls[node] ?? ''}/mcp`, {
    method: 'POST',
    headers: headersOf(token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
  });

async function openStream(node: number, token: string): Promise<Response> {
  const url = `${stack.urls[node] ?? ''}/mcp`;
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
  const started = await fetch(url, { method: 'POST', headers: headersOf(token), body });
  await started.text();
  return fetch(url, { headers: { ...headersOf(token), 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' } });
}

const ended = async (answer: Promise<Response>) => {
  const response = await answer;
  return { status: response.status, body: (await response.json()) as unknown };
};

const outcomes = async () =>
  (await stack.events())
    .filter(({ phase }) => phase === 'outcome')
    .map(({ agent, server, status, reason, resultHash }) => ({ agent, server, status, reason, resultHash }));

describe('an agent that is switched off', () => {
  test('is refused on every node at once, its streams end, its calls end at their servers, and their answers are withheld', async () => {
    await stack.publish(policy());
    const calls = [call(0, 'legacy__wait'), call(1, 'modern__wait')];
    const others = call(1, 'modern__wait', bob);
    const stream = await openStream(0, alice.token);
    await vi.waitFor(() => expect(held).toHaveLength(3), 10_000);
    const at = performance.now();
    await stack.publish({ ...policy(), agents: [{ ...alice, enabled: false }, bob] });
    for (const answer of calls) expect(await ended(answer)).toMatchObject({ status: 401, body: { error: { message: 'Unauthorized' } } });
    await stream.text();
    await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
    process.stdout.write(`switched off to ended on two nodes: ${(performance.now() - at).toFixed(0)} ms\n`);
    await vi.waitFor(() => expect(held.filter(({ closed }) => closed)).toHaveLength(2), 10_000);
    for (const node of [0, 1]) expect((await call(node, 'modern__wait')).status).toBe(401);
    for (const one of held) if (!one.closed) one.json({ jsonrpc: '2.0', id: one.message.id, result: { content: [], resultType: 'complete' } });
    expect((await ended(others)).body).toMatchObject({ result: { content: [] } });
    const revoked = { agent: 'alice', status: 'cancelled', reason: 'auth.revoked_in_flight', resultHash: null };
    await vi.waitFor(async () => {
      const all = await outcomes();
      expect(all).toContainEqual({ ...revoked, server: 'legacy' });
      expect(all).toContainEqual({ ...revoked, server: 'modern' });
      expect(all).toContainEqual(expect.objectContaining({ agent: 'bob', status: 'success' }));
    }, 10_000);
  });

  test('serves again as soon as it is switched on', async () => {
    await stack.publish({ ...policy(), agents: [{ ...alice, enabled: false }, bob] });
    await stack.publish(policy());
    const answer = call(0, 'modern__wait');
    await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
    held[0]?.json({ jsonrpc: '2.0', id: held[0].message.id, result: { content: [] } });
    expect((await answer).status).toBe(200);
  });
});

test('a revoked key ends the calls made with it', async () => {
  await stack.publish(policy());
  const answer = call(1, 'modern__wait');
  await vi.waitFor(() => expect(held).toHaveLength(1), 10_000);
  await stack.publish({ ...policy(), agents: [{ ...alice, keys: [] }, bob] });
  expect((await answer).status).toBe(401);
  await vi.waitFor(() => expect(held[0]?.closed).toBe(true), 10_000);
});

test('a server that is switched off is an unknown one, its calls end, and those of other servers go on', async () => {
  await stack.publish(policy());
  const [onLegacy, onModern] = [call(0, 'legacy__wait'), call(1, 'modern__wait', bob)];
  await vi.waitFor(() => expect(held).toHaveLength(2), 10_000);
  await stack.publish({ ...policy(), servers: known.map((one) => ({ ...one, enabled: one.era !== 'legacy' })) });
  expect(await ended(onLegacy)).toMatchObject({ status: 200, body: { error: { message: 'The call was stopped' } } });
  await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
  for (const node of [0, 1])
    expect((await ended(call(node, 'legacy__wait'))).body).toMatchObject({ error: { message: 'Unknown tool: legacy__wait' } });
  const stillOpen = () => held.filter(({ closed }) => !closed);
  await vi.waitFor(() => expect(stillOpen()).toHaveLength(1), 10_000);
  const open = stillOpen();
  open[0]?.json({ jsonrpc: '2.0', id: open[0].message.id, result: { content: [], resultType: 'complete' } });
  expect((await ended(onModern)).body).toMatchObject({ result: { content: [] } });
  await vi.waitFor(
    async () =>
      expect(await outcomes()).toContainEqual(expect.objectContaining({ server: 'legacy', status: 'cancelled', reason: 'policy.revoked_in_flight' })),
    10_000,
  );
});
