import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { eventually } from '../testing/eventually.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
const clients: Client[] = [];
let upstream: ScriptedServer;
let node: GatewayServer;
let server: ServerEntry;

beforeAll(async () => {
  upstream = await startScriptedServer();
  upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  server = aServer('tools', [aTool('run')], { url: upstream.url, era: 'modern' });
  live.snapshot = aSnapshot({ servers: [server], agents: [agent], grants: [aGrant(agent, server)] });
  node = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.destroy()));
  await node.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});

function onNewConnection(): Client {
  const client = new Client(`http://127.0.0.1:${String(node.port)}`, { keepAliveTimeout: 60_000 });
  clients.push(client);
  return client;
}

const list = { id: 1, method: 'tools/list' };
const call = { id: 2, method: 'tools/call', params: { name: 'tools__run' } };
const cancel = { method: 'notifications/cancelled', params: { requestId: 9 } };

/** Status, what refused it, and when to come again. */
async function send(client: Client, message: object): Promise<string> {
  const { statusCode, headers, body } = await client.request({
    path: '/mcp',
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
  const text = await body.text();
  const { error } = (text === '' ? {} : JSON.parse(text)) as { error?: { data: { reason: string } } };
  return error === undefined ? String(statusCode) : `${String(statusCode)} ${error.data.reason} ${String(headers['retry-after'])}`;
}

/** What a list, a call and a cancel get on a connection that was there before, and a call on a new one. */
async function answersAt(client: Client, memoryUsed: number): Promise<string[]> {
  live.memoryUsed = memoryUsed;
  gateway.shedding.look();
  const answers: string[] = [];
  for (const message of [list, call, cancel]) answers.push(await send(client, message));
  answers.push(await send(onNewConnection(), call));
  return answers;
}

test('G20: a node that runs out of memory refuses new connections, then lists, then calls, and takes all again when it has some', async () => {
  const client = onNewConnection();
  const no = '503 overloaded 1';
  expect(await answersAt(client, 0.84)).toEqual(['200', '200', '202', '200']);
  expect(await answersAt(client, 0.86)).toEqual(['200', '200', '202', no]);
  expect(await answersAt(client, 0.91)).toEqual([no, '200', '202', no]);
  expect(await answersAt(client, 0.96)).toEqual([no, no, '202', no]);
  // Not at once, or it would be to and fro.
  expect(await answersAt(client, 0.91)).toEqual([no, no, '202', no]);
  expect(await answersAt(client, 0.88)).toEqual([no, '200', '202', no]);
  expect(await answersAt(client, 0.79)).toEqual(['200', '200', '202', '200']);
  for (const late of clients) expect(await send(late, call)).toBe('200');
});

test('what was refused of a known agent is on record, and reached no server', async () => {
  const client = onNewConnection();
  await send(client, list);
  const reached = upstream.methods.length;
  events.length = 0;
  live.memoryUsed = 1;
  gateway.shedding.look();
  await send(client, call);
  expect(events.map(({ status, reason }) => [status, reason])).toEqual([['refused', 'node.overloaded']]);
  expect(upstream.methods.length).toBe(reached);
});

test('G20: while calls are refused a revocation ends the call that runs, and that is on record', async () => {
  live.memoryUsed = 0.5;
  gateway.shedding.look();
  const reached = upstream.methods.length;
  upstream.answer = () => undefined; // until it is told to stop
  const headers = mcpHeaders(agent.token);
  const running = onNewConnection().request({ path: '/mcp', method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...call }) });
  await eventually(() => expect(upstream.methods.length).toBe(reached + 1));
  live.memoryUsed = 1;
  gateway.shedding.look();
  events.length = 0;
  const revoked = aSnapshot({ servers: [server], agents: [{ ...agent, enabled: false }], grants: [] });
  gateway.forwardedCalls.policyApplied({ ...revoked, changed: { ...revoked.changed, agentIds: new Set([agent.id]) } });
  expect((await running).statusCode).toBe(401);
  expect(events.map(({ phase, status, reason }) => [phase, status, reason])).toEqual([['outcome', 'cancelled', 'auth.revoked_in_flight']]);
});

test('the memory of this very process is looked at', async () => {
  const { shedLoad } = await import('./load-shedding.js');
  const closers: (() => void)[] = [];
  const shedding = shedLoad((_name, close) => closers.push(close));
  shedding.look();
  expect(shedding.level).toBe(0);
  for (const close of closers) close();
});
