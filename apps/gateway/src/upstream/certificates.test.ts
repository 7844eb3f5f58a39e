import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createEgress, type Egress } from '@portcullis/egress';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { makeAuthority, type Certificate } from '../testing/make-certificate.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { Upstreams } from './upstreams.js';

const HOST = 'tools.test';
const known = makeAuthority('Known');
const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
let egress: Egress;
let upstream: Server;
let node: GatewayServer;
let asked = 0;
let connections = 0;

beforeAll(async () => {
  upstream = createServer(known.issue(HOST), (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked += 1;
      const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string };
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: ['done'], resultType: 'complete' } }));
    });
  });
  upstream.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => {
    upstream.listen(0, '127.0.0.1', resolve);
  });
  const { port } = upstream.address() as AddressInfo;
  const address = { address: '127.0.0.1', family: 4 };
  egress = createEgress({ allow: ['127.0.0.0/8'], ca: known.cert, resolve: () => Promise.resolve([address]) });
  const server = aServer('tools', [aTool('run')], { url: `https://${HOST}:${String(port)}/mcp`, era: 'modern' });
  live.snapshot = aSnapshot({ servers: [server], agents: [agent], grants: [aGrant(agent, server)] });
  const upstreams = new Upstreams((origin, options) => egress.poolFor(origin, options));
  node = await startServer({ ...gateway, upstreams }, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await node.close(0);
  await egress.close();
  upstream.closeAllConnections();
  upstream.close();
});
beforeEach(async () => {
  upstream.setSecureContext(known.issue(HOST));
  await vi.waitUntil(async () => (await call()).includes('done')); // the breaker is closed
  [asked, connections, events.length] = [0, 0, 0];
});

async function call(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(node.port)}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'tools__run' } }),
  });
  return response.text();
}

test.each<[string, () => Certificate, RegExp]>([
  ['has run out', () => known.issue(HOST, [-20, -1]), /expired/],
  ['is not valid yet', () => known.issue(HOST, [1, 20]), /not yet valid|NOT_YET/i],
  ['is another host’s', () => known.issue('other.test'), /altnames/i],
  ['was issued by nobody we know', () => makeAuthority('Unknown').issue(HOST), /issuer|unable to/i],
])('a server whose certificate %s is told nothing, once, and is back with a good one', async (_what, issue, told) => {
  upstream.setSecureContext(issue());
  const answer = await call();
  expect(JSON.parse(answer)).toMatchObject({ id: 7, error: { code: -32603, data: { reason: 'unreachable' } } });
  expect([asked, connections]).toEqual([0, 1]);
  expect(answer).not.toMatch(told);
  expect(events.map(({ phase, status, reason }) => [phase, status, reason])).toEqual([
    ['intent', 'pending', 'granted'],
    ['outcome', 'upstream_error', 'upstream.unreachable'],
  ]);
  upstream.setSecureContext(known.issue(HOST));
  expect(await call()).toContain('done');
  expect(asked).toBe(1);
});
