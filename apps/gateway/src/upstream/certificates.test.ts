import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListenerTls } from '@portcullis/boot';
import { serverTlsPlace } from '@portcullis/contracts/credentials';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { createEgress, type Egress } from '@portcullis/egress';
import { createSealer } from '@portcullis/secrets';
import { makeAuthority, type Certificate } from '@portcullis/testing';
import { Client } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { nodesKey, sealedCredentials } from '../testing/sealed-credentials.js';
import { Upstreams } from './upstreams.js';

const HOST = 'tools.test';
const known = makeAuthority('Known');
const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
let egress: Egress;
let upstream: Server;
let node: GatewayServer;
let plainPolicy: typeof live.snapshot;
let asked = 0;
let connections = 0;

function answerCall(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    asked += 1;
    const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string };
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: ['done'], resultType: 'complete' } }));
  });
}

beforeAll(async () => {
  upstream = createServer(known.issue(HOST), answerCall);
  upstream.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => {
    upstream.listen(0, '127.0.0.1', resolve);
  });
  const { port } = upstream.address() as AddressInfo;
  const address = { address: '127.0.0.1', family: 4 };
  egress = createEgress({ allow: ['127.0.0.0/8'], ca: known.cert, resolve: () => Promise.resolve([address]) });
  const server = aServer('tools', [aTool('run')], { url: `https://${HOST}:${String(port)}/mcp`, era: 'modern' });
  plainPolicy = aSnapshot({ servers: [server], agents: [agent], grants: [aGrant(agent, server)] });
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
  live.snapshot = plainPolicy;
  upstream.setSecureContext(known.issue(HOST));
  await vi.waitUntil(async () => (await call()).includes('done'), { timeout: 20_000 }); // the breaker is closed
  [asked, connections, events.length] = [0, 0, 0];
});

async function call({ port }: Pick<GatewayServer, 'port'> = node): Promise<string> {
  const [headers, body] = callAs(agent.token);
  return (await fetch(`http://127.0.0.1:${String(port)}/mcp`, { method: 'POST', headers, body })).text();
}

function callAs(token: string): [headers: Record<string, string>, body: string] {
  const headers = mcpHeaders(token);
  return [headers, JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'tools__run' } })];
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

describe('a server with an authority of its own that wants to know who calls', () => {
  const clients = makeAuthority('Clients');
  const { cert: certificate, key } = clients.issue('gateway.test');
  const id = randomUUID();
  let strict: Server;
  let strictNode: GatewayServer;
  let url = '';
  let upstreams: Upstreams;
  let own: Egress;

  beforeAll(async () => {
    strict = createServer({ ...known.issue(HOST), ca: clients.cert, requestCert: true, rejectUnauthorized: true }, answerCall);
    await new Promise<void>((resolve) => {
      strict.listen(0, '127.0.0.1', resolve);
    });
    url = `https://${HOST}:${String((strict.address() as AddressInfo).port)}/mcp`;
    const address = { address: '127.0.0.1', family: 4 };
    own = createEgress({ allow: ['127.0.0.0/8'], resolve: () => Promise.resolve([address]) });
    const { credentials } = sealedCredentials({ sealer: () => createSealer({ current: nodesKey }) });
    upstreams = new Upstreams((origin, options) => own.poolFor(origin, options), undefined, undefined, credentials);
    strictNode = await startServer({ ...gateway, upstreams }, { host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await strictNode.close(0);
    await Promise.all([upstreams.close(), own.close()]);
    strict.closeAllConnections();
    strict.close();
  });

  function reachWith(tls: ServerEntry['tls']): void {
    const server = { ...aServer('tools', [aTool('run')], { url, era: 'modern' }), ...(tls && { tls }) };
    live.snapshot = aSnapshot({ servers: [server], agents: [agent], grants: [aGrant(agent, server)] });
  }
  const entryWith = (version: number, ca: string): NonNullable<ServerEntry['tls']> => {
    const sealed = createSealer({ current: nodesKey }).seal(key, serverTlsPlace({ id, version }));
    return { id, version, ca, certificate, sealed };
  };
  const reasonOf = async (): Promise<string | undefined> => /"reason":"([a-z_.]+)"/.exec(await call(strictNode))?.[1];

  test('is called with what it was given, and by no other way', async () => {
    const given = entryWith(1, known.cert);
    const cases: [ServerEntry['tls'], string][] = [
      [undefined, 'unreachable'],
      [{ id, version: 1, ca: known.cert }, 'cut'], // it hangs up on who shows nothing
      [entryWith(1, makeAuthority('Unknown').cert), 'unreachable'],
      [{ ...given, version: 2 }, 'credential'], // sealed for another version
      [{ id, version: 3, isMoved: true }, 'reconnect'],
    ];
    const reasons = [];
    for (const [tls] of cases) {
      reachWith(tls);
      reasons.push(await reasonOf());
    }
    expect(reasons).toEqual(cases.map(([, reason]) => reason));
    expect(asked).toBe(0);
    reachWith(given);
    expect(await call(strictNode)).toContain('done');
    expect(asked).toBe(1);
  });
});

describe('the listener of a node with a certificate', () => {
  let directory: string;
  let secure: GatewayServer;
  /** One that has little time and room. */
  let hasty: GatewayServer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'portcullis-tls-'));
    const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
    const { cert, key } = known.issue('127.0.0.1');
    await Promise.all([writeFile(files.certFile, cert), writeFile(files.keyFile, key)]);
    const upstreams = new Upstreams((origin, options) => egress.poolFor(origin, options));
    const at = { host: '127.0.0.1', port: 0, tls: await ListenerTls.open(files) };
    secure = await startServer({ ...gateway, upstreams }, at);
    hasty = await startServer({ ...gateway, upstreams }, at, { headersMs: 500, checkEveryMs: 50, connectionsPerSourceMax: 2 });
  });
  afterAll(async () => {
    await Promise.all([secure, hasty].map((one) => one.close(0)));
    await rm(directory, { recursive: true });
  });

  test('serves agents over TLS alone', async () => {
    const agents = createEgress({ allow: ['127.0.0.0/8'], ca: known.cert });
    const [headers, body] = callAs(agent.token);
    const url = `https://127.0.0.1:${String(secure.port)}/mcp`;
    expect(await (await agents.fetch(url, { method: 'POST', headers, body })).text()).toContain('done');
    await expect(agents.fetch(url.replace('https:', 'http:'), { method: 'POST', headers, body })).rejects.toThrow('fetch failed');
    await expect(fetch(url, { method: 'POST', headers, body })).rejects.toThrow('fetch failed'); // it is vouched for by nobody else
    await agents.close();
  });

  test('shakes no hands while it runs out of memory, and serves who was there before', async () => {
    const [headers, body] = callAs(agent.token);
    const open = () => new Client(`https://127.0.0.1:${String(secure.port)}`, { connect: { ca: known.cert } });
    const [agents, others] = [open(), open()];
    const call = async (from: Client) => (await from.request({ path: '/mcp', method: 'POST', headers, body })).body.text();
    const filled = (memoryUsed: number): void => {
      live.memoryUsed = memoryUsed;
      gateway.shedding.look();
    };
    try {
      expect(await call(agents)).toContain('done');
      filled(0.86);
      expect(await call(agents)).toContain('done');
      const socket = connect(secure.port, '127.0.0.1').on('error', () => undefined);
      expect(await new Promise((resolve) => socket.once('close', () => resolve(socket.bytesRead)))).toBe(0);
      await expect(call(others)).rejects.toThrow('disconnected before secure TLS connection');
      filled(0.5);
      expect(await call(others)).toContain('done');
    } finally {
      filled(0);
      await Promise.all([agents.destroy(), others.destroy()]);
    }
  });

  test('waits for a handshake no longer than for headers, and counts connections before it', async () => {
    const sockets = Array.from({ length: 3 }, () => connect(hasty.port, '127.0.0.1'));
    const ends = sockets.map(
      (socket) => new Promise<number>((resolve) => socket.on('error', () => undefined).on('close', () => resolve(performance.now()))),
    );
    const [first = 0, second = 0, refused = 0] = await Promise.all(ends);
    expect(Math.min(first, second) > refused).toBe(true);
  });
});
