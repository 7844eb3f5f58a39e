import { createServer } from 'node:http';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { createEgress } from '@portcullis/egress';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../../server.js';
import { aSnapshot, buildGateway } from '../../testing/build-gateway.js';
import { listenLoopback } from '../../testing/listen-loopback.js';
import { mcpHeaders } from '../../testing/mcp-headers.js';
import { aGrant, anAgent, aServer } from '../../testing/policy-builders.js';
import { clientOf, sealedCredentials } from '../../testing/sealed-credentials.js';
import { serverTools, startLegacyServer, startModernServer, startSseServer, type TestServer } from '../../testing/upstream-servers.js';
import { Upstreams } from '../upstreams.js';
import { ReconnectNeeded } from './token-credential.js';

const [alice, bob] = [anAgent('alice'), anAgent('bob')];
const issued: string[] = [];
/** What the servers let in; everything where it is undefined. */
let accepted: Set<string> | undefined;
const accepts = (authorization: string | undefined): boolean => accepted?.has(authorization ?? '') ?? true;
const { credentials, entry, headers } = sealedCredentials({ connectionToken: () => Promise.reject(new ReconnectNeeded()) });
const { gateway: plain, events, live } = buildGateway(undefined);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
const gateway = { ...plain, upstreams: new Upstreams((origin, options) => egress.poolFor(origin, options), undefined, undefined, credentials) };
let node: GatewayServer;
let modern: TestServer;
let legacy: TestServer;
let oldest: TestServer;
let authorization: { readonly url: string; readonly close: () => Promise<void> };

beforeAll(async () => {
  [modern, legacy, oldest] = [await startModernServer(accepts), await startLegacyServer(accepts), await startSseServer(accepts)];
  const tokens = createServer((request, response) => {
    request.resume().on('end', () => {
      issued.push(`token-${issued.length + 1}`);
      const answer = { access_token: issued.at(-1), token_type: 'Bearer', expires_in: 3600 };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  authorization = await listenLoopback(tokens);
  node = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await node.close(0);
  await gateway.upstreams.close();
  await Promise.all([modern.close(), legacy.close(), oldest.close(), authorization.close(), egress.close()]);
});
beforeEach(() => {
  accepted = undefined;
  for (const list of [issued, events, modern.requests, legacy.requests, oldest.requests]) list.length = 0;
});

/** Policy in which both agents may use this one server. */
function serve(credentialsOf: ServerEntry['credentials'], kind: 'modern' | 'legacy' | 'sse' = 'modern'): ServerEntry {
  const { url } = { modern, legacy, sse: oldest }[kind];
  const how = kind === 'sse' ? ({ era: 'legacy', transport: 'sse' } as const) : { era: kind };
  const server = aServer('s', serverTools, { url, ...how, ...(credentialsOf && { credentials: credentialsOf }) });
  live.snapshot = aSnapshot({ servers: [server], agents: [alice, bob], grants: [aGrant(alice, server), aGrant(bob, server)] });
  return server;
}

async function call(agent = alice) {
  const response = await fetch(`http://127.0.0.1:${node.port}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      'x-api-key': agent.token,
      cookie: `t=${agent.token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 's__echo', arguments: { text: 'hi' } } }),
  });
  const text = await response.text();
  return { text, reason: /"reason":"([a-z_.]+)"/.exec(text)?.[1] };
}

const sentTo = ({ requests }: TestServer): (string | undefined)[] => requests.map((request) => request.headers.authorization);

test.each(['modern', 'legacy'] as const)('every request to a %s server goes with its credential, and nothing of the agent does', async (era) => {
  serve([headers('canary-of-the-server')], era);
  expect((await call()).text).toContain('hi');
  const { requests } = era === 'modern' ? modern : legacy;
  expect(requests.length).toBeGreaterThanOrEqual(era === 'modern' ? 1 : 3);
  expect(new Set(requests.map((request) => request.headers.authorization))).toEqual(new Set(['Bearer canary-of-the-server']));
  expect(JSON.stringify(requests)).not.toContain(alice.token);
  expect(JSON.stringify(events)).not.toContain('canary-of-the-server');
});

test('a server without a credential is called with nothing, least of all with the key of the agent', async () => {
  serve(undefined);
  expect((await call()).text).toContain('hi');
  expect(sentTo(modern)).toEqual([undefined]);
  expect(JSON.stringify(modern.requests)).not.toContain(alice.token);
});

test.each(['modern', 'legacy'] as const)(
  'an agent with a credential of its own calls a %s server with that one, in a session of its own',
  async (era) => {
    serve([headers('everybody'), headers('bob-alone', { agentId: bob.id })], era);
    for (const agent of [alice, bob, alice]) await call(agent);
    const { requests } = era === 'modern' ? modern : legacy;
    const calls = requests.filter(({ body }) => body.includes('tools/call'));
    expect(calls.map((request) => request.headers.authorization)).toEqual(['Bearer everybody', 'Bearer bob-alone', 'Bearer everybody']);
    const sessions = new Map(calls.map((request) => [request.headers['mcp-session-id'], request.headers.authorization]));
    if (era === 'legacy') expect(sessions.size).toBe(2);
  },
);

test('a session that was opened with another credential is not gone on with', async () => {
  const first = headers('first');
  const server = serve([first], 'legacy');
  await call();
  live.snapshot = aSnapshot({
    servers: [{ ...server, credentials: [headers('second', { id: first.id, version: 2 })] }],
    agents: [alice],
    grants: [aGrant(alice, server)],
  });
  legacy.requests.length = 0;
  expect((await call()).text).toContain('hi');
  expect(legacy.requests[0]?.body).toContain('initialize');
  expect(new Set(sentTo(legacy))).toEqual(new Set(['Bearer second']));
});

test('many calls at once have one token asked for, and each goes with it', async () => {
  serve([entry(clientOf(authorization.url))]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => call()));
  expect(answers.filter(({ text }) => text.includes('hi')).length).toBe(20);
  expect([issued, new Set(sentTo(modern))]).toEqual([['token-1'], new Set(['Bearer token-1'])]);
});

test.each(['modern', 'legacy'] as const)(
  'a token that a %s server no longer takes is renewed once, and the agent sees nothing of it',
  async (era) => {
    serve([entry(clientOf(authorization.url))], era);
    await call();
    accepted = new Set(['Bearer token-2']);
    expect((await call()).text).toContain('hi');
    expect(issued).toEqual(['token-1', 'token-2']);
  },
);

test('the stream and the messages of an HTTP+SSE server go with its credential, and with a renewed one where it was refused', async () => {
  serve([entry(clientOf(authorization.url))], 'sse');
  expect((await call()).text).toContain('hi');
  expect([oldest.requests[0]?.body, new Set(sentTo(oldest))]).toEqual(['', new Set(['Bearer token-1'])]);
  oldest.requests.length = 0;
  accepted = new Set(['Bearer token-2']);
  expect((await call()).text).toContain('hi'); // on a message
  expect([issued, sentTo(oldest)]).toEqual([
    ['token-1', 'token-2'],
    ['Bearer token-1', 'Bearer token-2'],
  ]);

  // On a stream that is opened anew.
  serve([entry(clientOf(authorization.url))], 'sse');
  accepted = new Set(['Bearer token-4']);
  expect((await call()).text).toContain('hi');
  expect(issued.at(-1)).toBe('token-4');
  expect(JSON.stringify(oldest.requests)).not.toContain(alice.token);
});

test('a server that takes no token is not asked for ever, and the agent is told whose matter that is', async () => {
  serve([entry(clientOf(authorization.url))]);
  accepted = new Set();
  expect((await call()).reason).toBe('unauthorized');
  for (let count = 0; count < 5; count += 1) await call();
  expect(issued.length).toBe(2);
});

test('headers that the server does not take are told of as such', async () => {
  serve([headers('wrong')]);
  accepted = new Set();
  expect((await call()).reason).toBe('unauthorized');
});

test('without its credential nothing is called: not opened, unknown, moved, or a connection that has ended', async () => {
  const foreign = sealedCredentials();
  const unknown = { ...entry({ kind: 'headers', headers: [] }), kind: 'newer' };
  const cases: [NonNullable<ServerEntry['credentials']>[number], string][] = [
    [foreign.headers('x'), 'credential'],
    [{ ...headers('x'), version: 2 }, 'credential'], // sealed for another version
    [{ ...unknown, sealed: 'v1.abc.def' }, 'credential'],
    [{ ...unknown, kind: 'moved', sealed: '' }, 'reconnect'],
    [entry({ kind: 'authorization-code' }), 'reconnect'],
    [entry(clientOf('http://127.0.0.1:9/token')), 'credential'],
  ];
  for (const [credential, reason] of cases) {
    serve([credential]);
    expect((await call()).reason).toBe(reason);
  }
  expect(modern.requests).toEqual([]);
});
