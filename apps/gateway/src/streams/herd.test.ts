import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { RawConnection } from '../testing/raw-connection.js';
import { rawExchange } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';

const agents = Array.from({ length: 150 }, (_, at) => anAgent(`a${String(at)}`));
const { gateway, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;

beforeAll(async () => {
  upstream = await startScriptedServer();
  const offering = aServer(
    'm',
    Array.from({ length: 20 }, (_, at) => aTool(`run${String(at)}`)),
    { url: upstream.url, era: 'modern' },
  );
  live.snapshot = aSnapshot({ servers: [offering], agents, grants: agents.map((agent) => aGrant(agent, offering)) });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  gateway.streams.close();
  await server.close(0);
  await upstream.close();
});

/** All agents at once: each opens a stream of changes and asks for its list. */
async function comeAtOnce(): Promise<RawConnection[]> {
  const params = { notifications: { toolsListChanged: true } };
  const arrivals = agents.map(async ({ token }) => {
    const list = rawExchange(server.port, rawRequest(mcpRequest('tools/list', { era: 'modern', token })));
    const stream = await RawConnection.open(server.port);
    stream.socket.write(rawRequest(mcpRequest('subscriptions/listen', { era: 'modern', token, params })));
    expect(await stream.until(/"method":"notifications\/subscriptions\/acknowledged"/)).toContain('HTTP/1.1 200');
    expect((await list).match(/"name":"m__run\d+"/g)).toHaveLength(20);
    return stream;
  });
  return Promise.all(arrivals);
}

test('F37: a herd that lost its node and comes back at once is served from memory, each stream and list, and no server is asked', async () => {
  const before = await comeAtOnce();
  expect(gateway.streams.size).toBe(agents.length);
  await server.close(0);
  await Promise.all(before.map((stream) => stream.until('closed')));
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
  const after = await comeAtOnce();
  expect(gateway.streams.size).toBe(agents.length);
  expect(upstream.methods).toEqual([]);
  for (const { socket } of after) socket.destroy();
});
