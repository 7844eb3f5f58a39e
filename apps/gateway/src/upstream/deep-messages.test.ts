import { createServer, type Server, type ServerResponse } from 'node:http';
import { createEgress } from '@portcullis/egress';
import { whateverWasUncaught } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { listenLoopback } from '../testing/listen-loopback.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { Upstreams } from './upstreams.js';

/** Deeper than can be written by `JSON.stringify`, which can all the same be read. */
const DEEP = '['.repeat(20_000) + ']'.repeat(20_000);
/** More than is taken of a stream at once, so that what follows comes when it is gone on with. */
const MANY = 1200;
const agent = anAgent('alice');
const { gateway, live } = buildGateway(undefined);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
/** A server that fails is left alone for a while; here each call finds it as if it never had. */
let upstreams: Upstreams;
const newUpstreams = (): Upstreams => new Upstreams((origin, options) => egress.poolFor(origin, options));
let server: Server;
let close: () => Promise<void>;
let node: GatewayServer;
/** Before the answer to a call. */
let said: (id: string) => string[] = () => [];

beforeAll(async () => {
  let stream: ServerResponse | undefined;
  server = createServer((request, response) => {
    if (request.method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages\n\n');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: string; method: string };
      const isStreamed = request.url === '/messages';
      if (isStreamed || id === undefined) response.writeHead(202).end();
      if (id === undefined) return;
      const to = isStreamed ? stream : response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's' });
      const result = method === 'initialize' ? { protocolVersion: '2024-11-05', capabilities: {} } : { content: [], resultType: 'complete' };
      const messages = method === 'tools/call' ? said(id) : [];
      for (const message of [...messages, JSON.stringify({ jsonrpc: '2.0', id, result })]) to?.write(`event: message\ndata: ${message}\n\n`);
      if (!isStreamed) response.end();
    });
  });
  const listening = await listenLoopback(server);
  ({ close } = listening);
  const url = `${listening.url}/mcp`;
  const servers = [
    aServer('sse', [aTool('run')], { url: `${listening.url}/sse`, era: 'legacy', transport: 'sse' }),
    aServer('legacy', [aTool('run')], { url, era: 'legacy' }),
    aServer('modern', [aTool('run')], { url, era: 'modern' }),
  ];
  live.snapshot = aSnapshot({ servers, agents: [agent], grants: servers.map((one) => aGrant(agent, one)) });
  upstreams = newUpstreams();
  const own = Object.defineProperty({ ...gateway, logError: () => undefined }, 'upstreams', { get: () => upstreams });
  node = await startServer(own, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await node.close(0);
  await Promise.all([upstreams.close(), egress.close()]);
  await close();
});

async function send(message: object): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, ...message });
  return (await fetch(`http://127.0.0.1:${String(node.port)}/mcp`, { method: 'POST', headers: mcpHeaders(agent.token), body })).text();
}

const small = (id: string): string => `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"${id}","progress":1}}`;
const escaped = (text: string): string => Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const KINDS: readonly [string, (id: string) => string][] = [
  ['progress', (id) => `{"jsonrpc":"2.0","method":"notifications/progress","params":{"x":${DEEP},"progressToken" : "${id}"}}`],
  ['progress under a hidden name', (id) => small(escaped(id)).replace('"params":{', `"params":{"x":${DEEP},`)],
  ['a log entry', () => `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":${DEEP}}}`],
  ['the end of a question', () => `{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"x":${DEEP}}}`],
  ['a question', () => `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"x":${DEEP}}}`],
  ['a question by a deep name', () => `{"jsonrpc":"2.0","id":${DEEP},"method":"roots/list","params":{}}`],
  ['an answer', (id) => `{"jsonrpc":"2.0","id":"${id}","result":{"content":[],"x":${DEEP}}}`],
  ['an error', (id) => `{"jsonrpc":"2.0","id":"${id}","error":{"code":-32000,"message":"no","data":${DEEP}}}`],
];
const cases = KINDS.flatMap(([what, message]) =>
  ['sse', 'legacy', 'modern'].flatMap((slug) => (slug === 'sse' ? [0, MANY] : [0]).map((before) => [what, slug, before, message] as const)),
);

test.each(cases)('%s that lies deep, of a server of kind %s, behind %d messages, ends no node', async (what, slug, before, message) => {
  said = (id) => [...Array.from({ length: before }, () => small(id)), message(id)];
  const earlier = upstreams;
  upstreams = newUpstreams();
  const uncaught = await whateverWasUncaught(async () => {
    const answer = await send({ method: 'tools/call', params: { name: `${slug}__run`, _meta: { progressToken: 1 } } });
    expect(answer).toContain('"jsonrpc"');
    expect(await send({ method: 'ping' })).toContain('"result"');
  });
  await earlier.close();
  expect(uncaught).toEqual([]);
});
