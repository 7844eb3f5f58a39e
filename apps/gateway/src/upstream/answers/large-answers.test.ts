import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startServer, type GatewayServer } from '../../server.js';
import { aSnapshot, buildGateway } from '../../testing/build-gateway.js';
import { mcpHeaders, modernHeaders } from '../../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../../testing/policy-builders.js';
import { startScriptedServer, type Scripted, type ScriptedServer } from '../../testing/scripted-server.js';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(MIB, 'x');
const [alice, bob] = [anAgent('alice'), anAgent('bob')];
const { gateway, events, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;
/** Answers that are on their way, and the most there were at once. */
const sending = { now: 0, most: 0 };

beforeAll(async () => {
  upstream = await startScriptedServer();
  const limits = { concurrency: 64, firstByteTimeoutMs: 20_000, totalTimeoutMs: 30_000, resultBytesMax: 10 * MIB };
  const servers = ['large', 'other'].map((slug) => aServer(slug, [aTool('run')], { url: upstream.url, era: 'modern', limits }));
  const grants = [alice, bob].flatMap((agent) => servers.map((one) => aGrant(agent, one)));
  live.snapshot = aSnapshot({ servers, agents: [alice, bob], grants });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
afterEach(() => {
  events.length = 0;
  upstream.methods.length = 0;
});

interface Answer {
  readonly result?: { readonly content: readonly { readonly text: string }[] };
  readonly error?: { readonly data: { readonly reason: string } };
}

async function post(agent: typeof alice, params: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }),
  });
  return (await response.json()) as Answer;
}

/** Of a legacy client that names no revision, so that answers are held whole. */
const call = (agent: typeof alice, slug = 'large'): Promise<Answer> => post(agent, { name: `${slug}__run` });

/** Of a client of the server's own era, to whom a large answer is passed on while it comes. */
const callModern = (agent: typeof alice): Promise<Answer> =>
  post(
    agent,
    {
      name: 'large__run',
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
    },
    modernHeaders('tools/call', 'large__run'),
  );

/** Answers with a text of so many MiB whose length nobody is told. */
function answerWith(mebibytes: number): void {
  upstream.answer = ({ message, response }: Scripted) => {
    const send = async (): Promise<void> => {
      sending.most = Math.max(sending.most, (sending.now += 1));
      response.once('close', () => (sending.now -= 1));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"jsonrpc":"2.0","id":"${message.id ?? ''}","result":{"resultType":"complete","content":[{"type":"text","text":"`);
      for (let at = 0; at < mebibytes && !response.destroyed; at += 1) {
        if (!response.write(PIECE)) await Promise.race([new Promise((drained) => response.once('drain', drained)), turn()]);
      }
      response.end('"}]}}');
    };
    void send();
  };
}

test('answers that have to be held wait for room one after the other, and all come whole', async () => {
  answerWith(2);
  const answers = await Promise.all([alice, alice, alice, alice, alice, bob].map((agent) => call(agent)));
  expect(answers.map(({ result }) => result?.content[0]?.text.length)).toEqual(Array.from({ length: 6 }, () => 2 * MIB));
  // What was taken is given back: there is room again for as many.
  expect((await call(alice)).result).toBeDefined();
});

test('an answer that is passed on while it comes arrives as it was sent, though its memory is given back on the way', async () => {
  const text = Array.from({ length: 60_000 }, (_, at) => `line ${String(at)} of a text that nowhere repeats itself`).join(' ');
  upstream.answer = ({ message, json }) =>
    json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', content: [{ type: 'text', text }] } });
  const answers = await Promise.all([alice, bob, alice].map((agent) => callModern(agent)));
  for (const { result } of answers) expect(result?.content[0]?.text === text).toBe(true);
});

test('what a result reports at the places that prices ask for is on record with its outcome, of a large answer too, and nothing of other tools', async () => {
  const before = live.snapshot;
  if (before !== undefined) {
    const resultUnits = [{ server: 'large', tool: 'r*', unit: '/usage/tokens' }];
    live.snapshot = { ...before, settings: { ...before.settings, resultUnits } };
  }
  const reported = { usage: { tokens: 12.5 } };
  for (const length of [10, 300_000]) {
    const content = [{ type: 'text', text: 'x'.repeat(length) }];
    upstream.answer = ({ message, json }) => json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', content, _meta: reported } });
    expect(await callModern(alice)).toMatchObject({ result: { content, _meta: reported } });
    await call(alice, 'other');
  }
  const outcomes = events.filter(({ phase }) => phase === 'outcome').map(({ server: name, units }) => [name, units]);
  const charged = { '/usage/tokens': 12_500_000 };
  expect(outcomes).toEqual([
    ['large', charged],
    ['other', null],
    ['large', charged],
    ['other', null],
  ]);
  live.snapshot = before;
});

test('F33: a server whose answers are always too long is left alone for who asks for them, and for nobody else', async () => {
  answerWith(12);
  const reasons: (string | undefined)[] = [];
  for (let times = 0; times < 5; times += 1) reasons.push((await call(alice)).error?.data.reason);
  expect(reasons).toEqual(['too_large', 'too_large', 'too_large', 'suspended', 'suspended']);
  expect(upstream.methods).toHaveLength(3);
  expect(events.slice(-1)).toMatchObject([{ phase: 'single', reason: 'upstream.suspended' }]);
  answerWith(0);
  expect((await call(bob)).result).toBeDefined();
  expect((await call(alice, 'other')).result).toBeDefined();
  await vi.waitFor(() => expect(sending.now).toBe(0), 10_000); // what was too long was cut, not read to its end
});
