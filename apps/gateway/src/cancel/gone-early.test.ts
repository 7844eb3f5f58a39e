import { createServer, request, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { HttpReply } from '../reply/http-reply.js';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { listenLoopback } from '../testing/listen-loopback.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { startScriptedServer, type Scripted, type ScriptedServer } from '../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;

beforeAll(async () => {
  upstream = await startScriptedServer();
  const servers = [aServer('l', [aTool('run')], { url: upstream.url, era: 'legacy' })];
  live.snapshot = aSnapshot({ servers, agents: [agent], grants: servers.map((one) => aGrant(agent, one)) });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterEach(() => {
  events.length = 0;
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});

test('whoever asks late whether a caller is still there learns that it is not', async () => {
  const gone = Promise.withResolvers<ServerResponse>();
  const listener = createServer((_incoming, response) => {
    response.once('close', () => gone.resolve(response));
    outgoing.destroy();
  });
  const { url, close } = await listenLoopback(listener);
  const outgoing = request(url).on('error', () => undefined);
  outgoing.end();
  const reply = new HttpReply(await gone.promise);
  const told = new Promise<true>((resolve) => {
    reply.onGone(() => resolve(true));
  });
  expect(await told).toBe(true);
  await close();
});

test('a call of the older era that runs on when its node stops leaves its outcome, and its server is told', async () => {
  const told: unknown[] = [];
  const begun = Promise.withResolvers<Scripted['message']['id']>();
  upstream.answer = ({ message, json, response }) => {
    if (message.method === 'initialize') return json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
    if (message.method === 'tools/call') return begun.resolve(message.id);
    if (message.method === 'notifications/cancelled') told.push(message.params?.['requestId']);
    response.writeHead(202).end();
  };
  const leaving = new AbortController();
  const call = fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'l__run' } }),
  });
  const id = await begun.promise;
  leaving.abort();
  await expect(call).rejects.toThrow('aborted');
  expect(events.map(({ phase }) => phase)).toEqual(['intent']);
  gateway.forwardedCalls.stop();
  await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ phase: 'outcome', status: 'error', reason: 'node.stopping' }), 10_000);
  await vi.waitFor(() => expect(told).toEqual([id]), 10_000);
});
