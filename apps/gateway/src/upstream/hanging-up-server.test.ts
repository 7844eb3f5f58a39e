import { createSecureContext } from 'node:tls';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { createEgress, type Egress } from '@portcullis/egress';
import { makeAuthority, whateverWasUncaught } from '@portcullis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { abruptConduct, AbruptServer } from '../testing/abrupt-servers.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { eventually } from '../testing/eventually.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { UpstreamWatches } from '../watch/upstream-watches.js';
import { Upstreams } from './upstreams.js';

const RUNS = 100;
const HOST = 'tools.test';
const agent = anAgent('alice');
const known = makeAuthority('Known');
const built = buildGateway(undefined);
const limits = { concurrency: 2, firstByteTimeoutMs: 1000, totalTimeoutMs: 2000, resultBytesMax: 4_000_000 };
const capabilitiesJson = '{"tools":{"listChanged":true},"resources":{"subscribe":true}}';
let egress: Egress;
let plain: AbruptServer;
let secure: AbruptServer;
let node: GatewayServer;
let upstreams: Upstreams;
const newUpstreams = (): Upstreams => new Upstreams((origin, options) => egress.poolFor(origin, options));

beforeAll(async () => {
  [plain, secure] = await Promise.all([AbruptServer.start(), AbruptServer.start(createSecureContext(known.issue(HOST)))]);
  const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
  egress = createEgress({ allow: ['127.0.0.0/8'], ca: known.cert, resolve });
  upstreams = newUpstreams();
  const gateway = Object.defineProperty({ ...built.gateway }, 'upstreams', { get: () => upstreams });
  node = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await node.close(0);
  await Promise.all([upstreams.close(), egress.close(), plain.close(), secure.close()]);
});

/** A server of each kind, at the same port. */
function serversAt(url: string): ServerEntry[] {
  return [
    aServer('modern', [aTool('run')], { url, era: 'modern', limits, capabilitiesJson }),
    aServer('legacy', [aTool('run')], { url, era: 'legacy', limits, capabilitiesJson }),
    aServer('sse', [aTool('run')], { url, era: 'legacy', transport: 'sse', limits, capabilitiesJson }),
  ];
}

async function send(method: string, params: object = {}): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
  return (await fetch(`http://127.0.0.1:${String(node.port)}/mcp`, { method: 'POST', headers: mcpHeaders(agent.token), body })).text();
}

/** Calls a server, and listens to it, while it behaves in such a way; each time over connections of their own, since it would soon be left alone. */
async function meet(servers: readonly ServerEntry[]): Promise<void> {
  const before = upstreams;
  upstreams = newUpstreams();
  const watches = new UpstreamWatches({
    clientInfo: { name: 'test', version: '1' },
    policy: built.gateway.policy,
    openApart: (entry) => upstreams.openApart(entry),
    onLists: () => undefined,
    onUpdated: () => undefined,
    onReopened: () => undefined,
  });
  for (const { id } of servers.slice(0, 2)) watches.wantResource(id, 'x://a', true);
  const calls = servers.flatMap(({ slug }) => Array.from({ length: 3 }, () => slug));
  const answers = await Promise.all(calls.map((slug) => send('tools/call', { name: `${slug}__run`, _meta: { progressToken: 1 } })));
  watches.close();
  await before.close();
  for (const answer of answers) expect(answer).toContain('"id":7');
}

test.each<[string, () => [AbruptServer, string]]>([
  ['in the clear', () => [plain, `http://127.0.0.1:${String(plain.port)}/mcp`]],
  ['by TLS', () => [secure, `https://${HOST}:${String(secure.port)}/mcp`]],
])('however and whenever a server hangs up, %s, every call is answered and the node lives on', async (_way, at) => {
  const [server, url] = at();
  const servers = serversAt(url);
  built.live.snapshot = aSnapshot({ servers, agents: [agent], grants: servers.map((one) => aGrant(agent, one)) });
  await fc.assert(
    fc.asyncProperty(abruptConduct, async (conduct) => {
      server.conduct = conduct;
      const uncaught = await whateverWasUncaught(async () => {
        await meet(servers);
        expect(await send('ping')).toContain('"result"');
      });
      expect(uncaught).toEqual([]);
    }),
    { numRuns: RUNS },
  );
  expect(server.requests).toBeGreaterThan(RUNS);
  server.behaveWell();
  upstreams = newUpstreams();
  await eventually(async () => expect(await send('tools/call', { name: 'modern__run' })).toContain('done'));
});
