import { createHash } from 'node:crypto';
import { canonicalDefinition } from '@portcullis/mcp';
import { createEgress, type Egress } from '@portcullis/egress';
import { afterAll, afterEach, expect, test } from 'vitest';
import { rawTool, serve, serveBothEras, serveLegacy, serveModern, serveRaw, serveSse, type Peer } from '../testing/mcp-peers.js';
import type { Fetch } from './answer-tap.js';
import { discoverServer, type DiscoveryTarget, type Findings } from './discover-server.js';
import { DiscoveryAbandoned } from './discovery-failure.js';

const egress = createEgress({ allow: ['127.0.0.0/8'] });
const fetchOn =
  (way: Egress): Fetch =>
  (url, init) =>
    way.fetch(url, init);
const never = new AbortController().signal;
let peers: Peer[] = [];

afterEach(async () => {
  await Promise.all(peers.map((peer) => peer.close()));
  peers = [];
});
afterAll(() => egress.close());

async function discover(peer: Promise<Peer> | Peer, target: Partial<DiscoveryTarget> = {}): Promise<Findings> {
  const opened = await peer;
  peers.push(opened);
  return discoverServer({ url: opened.url, protocol: 'auto', transport: 'auto', knownEra: undefined, ...target }, fetchOn(egress), never);
}

const names = ({ definitions }: Findings): string[] => definitions.map(({ kind, name }) => `${kind} ${name}`).toSorted();

test('a server of the older era is discovered with all that it offers', async () => {
  const findings = await discover(serveLegacy());
  expect(findings.era).toBe('legacy');
  expect(findings.instructions).toBe('Be kind.');
  expect(JSON.parse(findings.capabilitiesJson)).toMatchObject({ tools: {}, prompts: {}, resources: {} });
  expect(names(findings)).toEqual(['instructions instructions', 'prompt greet', 'resource file:///readme', 'tool add']);
  expect(findings.problems).toEqual([]);
});

test('a server of 2026-07-28 only is discovered', async () => {
  const findings = await discover(serveModern('reject'));
  expect(findings).toMatchObject({ era: 'modern', problems: [] });
  expect(names(findings)).toEqual(['tool search']);
});

test('a server of both eras counts as modern, unless the operator pins the older one', async () => {
  expect((await discover(serveModern('stateless'))).era).toBe('modern');
  const pinned = await discover(serveModern('stateless'), { protocol: 'legacy' });
  expect(pinned.era).toBe('legacy');
  expect(names(pinned)).toEqual(['tool search']);
});

test('a server that keeps sessions of the older era beside the newer one is known to speak both, unless one is pinned', async () => {
  expect(await discover(serveBothEras())).toMatchObject({ era: 'modern', bothEras: true });
  expect(await discover(serveBothEras(), { protocol: 'modern' })).toMatchObject({ era: 'modern', bothEras: false });
  expect(await discover(serveBothEras(), { protocol: 'legacy' })).toMatchObject({ era: 'legacy', bothEras: false });
  // Without a session it could neither ask in a call nor tell of changes.
  expect(await discover(serveModern('stateless'))).toMatchObject({ era: 'modern', bothEras: false });
  expect(await discover(serveModern('reject'))).toMatchObject({ era: 'modern', bothEras: false });
  expect(await discover(serveLegacy())).toMatchObject({ era: 'legacy', bothEras: false });
});

test('a server of HTTP+SSE is found where it takes no message, with the exact text of what it offers', async () => {
  const findings = await discover(serveSse());
  expect(findings).toMatchObject({ era: 'legacy', transport: 'sse', instructions: 'Be patient.', problems: [] });
  expect(names(findings)).toEqual(['instructions instructions', 'tool add']);
  expect(findings.definitions[0]?.json).toContain('"description":"Adds"');
  expect((await discover(serveSse(), { protocol: 'legacy' })).transport).toBe('sse');
  expect((await discover(serveSse(), { knownEra: 'legacy' })).transport).toBe('sse');
  await expect(discover(serveSse(), { protocol: 'modern' })).rejects.toThrow(/HTTP 404/);
});

test('a pinned transport is the only one that is taken, and what is there instead is told', async () => {
  expect(await discover(serveSse(), { transport: 'sse' })).toMatchObject({ era: 'legacy', transport: 'sse' });
  expect((await discover(serveLegacy(), { transport: 'streamable-http' })).transport).toBe('streamable-http');
  await expect(discover(serveSse(), { transport: 'streamable-http' })).rejects.toThrow(
    'The server speaks HTTP+SSE, but its transport is pinned to streamable-http. Set transport to sse or auto.',
  );
  for (const [peer, era] of [
    [serveLegacy(), 'legacy'],
    [serveModern('reject'), 'modern'],
  ] as const)
    await expect(discover(peer, { transport: 'sse' })).rejects.toThrow(
      `The server speaks Streamable HTTP (${era}), but its transport is pinned to sse. Set transport to streamable-http or auto.`,
    );
  const nothing = serve((_, response) => response.writeHead(404).end());
  await expect(discover(nothing, { transport: 'sse' })).rejects.toThrow('no MCP endpoint at this URL (HTTP 404)');
});

test('a server of HTTP+SSE that sends messages to another origin is none', async () => {
  const peer = serve((request, response) => {
    if (request.method !== 'GET') response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: http://127.0.0.1:1/message\n\n');
  });
  await expect(discover(peer)).rejects.toThrow('no MCP endpoint at this URL (HTTP 404)');
});

test('a pin that the server does not speak fails in words', async () => {
  await expect(discover(serveLegacy(), { protocol: 'modern' })).rejects.toThrow(/server/i);
  await expect(discover(serveModern('reject'), { protocol: 'legacy' })).rejects.toThrow(/server/i);
});

test('a known older era spares the probe', async () => {
  const asked: string[] = [];
  const peer = await serveRaw(() => ({ tools: '' }));
  peers.push(peer);
  const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    if (typeof init?.body === 'string') asked.push((JSON.parse(init.body) as { method: string }).method);
    return egress.fetch(url, init);
  };
  await discoverServer({ url: peer.url, protocol: 'auto', transport: 'auto', knownEra: 'legacy' }, fetch, never);
  expect(asked).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
});

test('definitions are kept as the exact text the server sent, and pinned by their canonical form', async () => {
  const json = '{ "name":"a",  "x-unknown":[1,2.50], "inputSchema":{"type":"object"}, "_meta":{"k":1} }';
  const { definitions } = await discover(serveRaw(() => ({ tools: json })));
  expect(definitions[0]?.json).toBe(json);
  const canonical = canonicalDefinition(JSON.parse(json) as never);
  expect(definitions[0]?.hash).toBe(createHash('sha256').update(canonical).digest('hex'));
});

test('one malformed tool does not spoil a list', async () => {
  const findings = await discover(serveRaw(() => ({ tools: `${rawTool('a')},{"name":3},${rawTool('b')},"text"` })));
  expect(names(findings)).toEqual(['tool a', 'tool b']);
  expect(findings.problems.map(({ kind, index }) => ({ kind, index }))).toEqual([
    { kind: 'tool', index: 1 },
    { kind: 'tool', index: 3 },
  ]);
});

test('tools of one name are set aside, also when they lie on different pages', async () => {
  const within = await discover(serveRaw(() => ({ tools: `${rawTool('a', 'x')},${rawTool('a', 'y')},${rawTool('b')}` })));
  expect(names(within)).toEqual(['tool b']);
  const across = await discover(
    serveRaw((cursor) => (cursor === undefined ? { tools: `${rawTool('a', 'x')},${rawTool('b')}`, nextCursor: '2' } : { tools: rawTool('A', 'y') })),
  );
  expect(names(across)).toEqual(['tool b']);
  expect(across.problems).toHaveLength(2);
});

test('all pages are read, and a list that never ends is read up to a limit', async () => {
  const five = await discover(
    serveRaw((cursor = '0') => ({ tools: rawTool(`t${cursor}`), ...(cursor === '4' ? {} : { nextCursor: String(Number(cursor) + 1) }) })),
  );
  expect(five.definitions).toHaveLength(5);
  const endless = await discover(serveRaw((cursor = '0') => ({ tools: rawTool(`t${cursor}`), nextCursor: String(Number(cursor) + 1) })));
  expect(endless.definitions).toHaveLength(50);
  expect(endless.problems[0]?.reason).toContain('50 pages');
});

test('a cursor that comes back ends the list', async () => {
  const looping = await discover(serveRaw((cursor = '0') => ({ tools: rawTool(`t${cursor}`), nextCursor: cursor === '0' ? '1' : '0' })));
  expect(looping.problems[0]?.reason).toContain('repeats a cursor');
});

test('of too many tools the first thousand are taken', async () => {
  const many = await discover(serveRaw(() => ({ tools: Array.from({ length: 1500 }, (_, at) => rawTool(`t${at}`)).join() })));
  expect(many.definitions).toHaveLength(1000);
  expect(many.problems).toEqual([{ kind: 'tool', index: 1000, reason: 'of 1500 definitions the first 1000 are taken', cut: true }]);
});

test('a description of 5 MiB is set aside alone, and answers beyond 10 MiB end the discovery', async () => {
  const large = await discover(serveRaw(() => ({ tools: `${rawTool('huge', 'x'.repeat(5 * 1024 * 1024))},${rawTool('small')}` })));
  expect(names(large)).toEqual(['tool small']);
  await expect(discover(serveRaw(() => ({ tools: rawTool('huge', 'x'.repeat(11 * 1024 * 1024)) })))).rejects.toThrow('10 MiB');
});

test('names and instructions of a server cannot break what stores them', async () => {
  const findings = await discover(
    serveRaw(() => ({ tools: `${JSON.stringify({ name: 'a\0b\u{202e}', inputSchema: { type: 'object' } })},${rawTool('ok')}` })),
  );
  expect(names(findings)).toEqual(['tool ok']);
  expect(JSON.stringify(findings.problems)).not.toMatch(/\\u0000|\u{202e}/u);
});

test('a refused connection, a wrong path, a missing credential and a foreign protocol are told apart in words', async () => {
  const gone = await serve(() => undefined);
  await gone.close();
  const failure = async (peer: Promise<Peer> | Peer) => discover(peer).then(String, (error: Error) => error.message);
  expect(await failure({ ...gone, close: async () => undefined })).toMatch(/^The connection to 127\.0\.0\.1:\d+ was refused/);
  expect(await failure(serve((_request, response) => response.writeHead(401).end()))).toBe('The server asks for authentication (HTTP 401).');
  expect(await failure(serve((_request, response) => response.writeHead(404).end()))).toContain('no MCP endpoint at this URL (HTTP 404)');
  expect(await failure(serve((_request, response) => response.writeHead(503).end()))).toContain('HTTP 503');
  const page = serve((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'));
  expect(await failure(page)).toBe('The server does not answer as an MCP server. Check the path of the URL.');
  expect(await failure(serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end()))).toContain('redirect');
  expect(await failure(serveRaw(() => 'not json'))).toContain('server');
  expect(await failure(serve((request) => request.socket.destroy()))).toContain('closed the connection');
});

test('an address that the process may not reach is refused before anything is sent', async () => {
  let asked = 0;
  const peer = await serve((_request, response) => response.writeHead(200).end(String((asked += 1))));
  peers.push(peer);
  const closed = createEgress({ allow: [] });
  await expect(discoverServer({ url: peer.url, protocol: 'auto', transport: 'auto', knownEra: undefined }, fetchOn(closed), never)).rejects.toThrow(
    'not on the public network',
  );
  await closed.close();
  expect(asked).toBe(0);
});

test('a process that stops says nothing of the server it was asking', async () => {
  const stop = new AbortController();
  const peer = await serve(() => stop.abort());
  peers.push(peer);
  await expect(
    discoverServer({ url: peer.url, protocol: 'auto', transport: 'auto', knownEra: undefined }, fetchOn(egress), stop.signal),
  ).rejects.toThrow(DiscoveryAbandoned);
});
