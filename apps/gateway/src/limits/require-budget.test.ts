import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const hourMs = 3_600_000;
const { gateway, live, events } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;
let calls = 0;

beforeAll(async () => {
  upstream = await startScriptedServer();
  upstream.answer = ({ json, message }) => {
    calls += 1;
    json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  };
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});

/** What an agent whose budget is spent until then is answered. */
async function ask(budgetSpentUntil: number | undefined, method: string, params: object = {}): Promise<Response> {
  const agent = anAgent('alice', { ...(budgetSpentUntil !== undefined && { budgetSpentUntil }) });
  const one = aServer('one', [aTool('run')], { url: upstream.url, era: 'modern' });
  live.snapshot = aSnapshot({ servers: [one], agents: [agent], grants: [aGrant(agent, one, { names: ['run'] })] });
  return fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}
const call = (until: number | undefined, name = 'one__run') => ask(until, 'tools/call', { name });

test('a call of an agent whose budget is spent is refused by that name, with when to come back, and is on record; nothing goes out', async () => {
  const answer = await call(gateway.now() + hourMs);
  expect([answer.status, calls]).toEqual([429, 0]);
  const seconds = Number(answer.headers.get('retry-after'));
  expect(Math.abs(seconds - 3600)).toBeLessThan(60);
  expect(await answer.json()).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32603, message: 'The budget for this month is spent', data: { retryAfterSeconds: seconds } },
  });
  expect(events.at(-1)).toMatchObject({ phase: 'single', agent: 'alice', tool: 'run', decision: 'deny', reason: 'budget_spent', status: 'denied' });
});

test('a spent budget hides no tool, and tells nothing of tools that are not granted', async () => {
  const until = gateway.now() + hourMs;
  const list = (await (await ask(until, 'tools/list')).json()) as { result: { tools: { name: string }[] } };
  expect(list.result.tools.map(({ name }) => name)).toEqual(['one__run']);
  expect(await (await call(until, 'one__other')).text()).toBe(await (await call(undefined, 'one__other')).text());
});

test('when the month is over calls are made again without any change of policy', async () => {
  expect((await call(gateway.now() - 1)).status).toBe(200);
  expect((await call(undefined)).status).toBe(200);
});
