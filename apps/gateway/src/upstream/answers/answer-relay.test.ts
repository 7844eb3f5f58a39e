import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { capture } from '@portcullis/audit';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { HttpReply } from '../../reply/http-reply.js';
import { startServer, type GatewayServer } from '../../server.js';
import { aSnapshot, buildGateway, captureKey } from '../../testing/build-gateway.js';
import { listenLoopback } from '../../testing/listen-loopback.js';
import { mcpHeaders, modernHeaders, modernMeta } from '../../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../../testing/policy-builders.js';
import { startScriptedServer, type Scripted, type ScriptedServer } from '../../testing/scripted-server.js';

const agent = anAgent('alice');
const { gateway, events, live } = buildGateway(undefined);
let upstream: ScriptedServer;
let server: GatewayServer;

const RESULT_BYTES_MAX = 400_000;
/** More than is held, so that an answer with it is passed on while it comes. */
const LARGE = 'x'.repeat(80_000);

beforeAll(async () => {
  upstream = await startScriptedServer();
  const limits = { concurrency: 8, firstByteTimeoutMs: 20_000, totalTimeoutMs: 25_000, resultBytesMax: RESULT_BYTES_MAX };
  const servers = [
    aServer('m', [aTool('run')], { url: upstream.url, era: 'modern', limits }),
    aServer('l', [aTool('run')], { url: upstream.url, era: 'legacy', limits }),
  ];
  live.snapshot = aSnapshot({ servers, agents: [agent], grants: servers.map((one) => aGrant(agent, one)) });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await gateway.upstreams.close();
  await upstream.close();
});
afterEach(() => {
  live.audits = true;
  events.length = 0;
});

function call(slug: 'm' | 'l', signal?: AbortSignal): Promise<Response> {
  const name = `${slug}__run`;
  // A client of an older revision may be given other content, so that its answers are held.
  const era = slug === 'm' ? modernHeaders('tools/call', name) : { 'mcp-protocol-version': '2025-11-25' };
  return fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...era,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, ...(slug === 'm' && { _meta: modernMeta }) } }),
    ...(signal !== undefined && { signal }),
  });
}

/** Answers calls with what `make` writes around the id, in pieces that arrive apart. */
function answerWith(make: (id: string) => readonly string[]): void {
  upstream.answer = ({ message, json, response }: Scripted) => {
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === 'initialize') return json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
    const pieces = make(message.id).map((text) => Buffer.from(text));
    response.writeHead(200, { 'content-type': 'application/json' });
    const next = async (): Promise<void> => {
      for (const piece of pieces) {
        response.write(piece);
        await turn();
      }
      response.end();
    };
    void next();
  };
}

const outcome = () => events.find(({ phase }) => phase === 'outcome');

describe('an answer that is passed on while it comes', () => {
  test('is the same to the byte as one that is held, and leaves the same record, however it is cut', async () => {
    const result = fc.record({ head: fc.jsonValue(), isError: fc.boolean(), filler: fc.constantFrom('é', 'x', '"', '漢'), indent: fc.nat(1) });
    const order = fc.shuffledSubarray(['jsonrpc', 'id', 'result'], { minLength: 3 });
    const cuts = fc.array(fc.integer({ min: 2000, max: 70_000 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('m' as const, 'l' as const),
        result,
        order,
        cuts,
        async (slug, { head, isError, filler, indent }, names, sizes) => {
          events.length = 0;
          const value = { head, content: [{ type: 'text', text: filler.repeat(80_000) }], isError, resultType: 'complete' };
          const text = JSON.stringify(value, null, indent);
          answerWith((id) =>
            cut(
              `{${names.map((name) => `"${name}":${name === 'result' ? text : name === 'id' ? JSON.stringify(id) : '"2.0"'}`).join(',')}}\n`,
              sizes,
            ),
          );
          const response = await call(slug);
          expect(await response.text()).toBe(`{"jsonrpc":"2.0","result":${text},"id":7}`);
          expect(response.headers.get('content-length')).toBeNull();
          const { hash, bytes, kept } = capture(text, { rule: { mode: 'redacted', bytesMax: 512, paths: undefined }, key: () => captureKey });
          const status = isError ? 'tool_error' : 'success';
          expect(outcome()).toMatchObject({ status, resultHash: hash, resultBytes: bytes, resultSummary: kept });
        },
      ),
      { numRuns: 20 },
    );
  });

  const large = `{"content":["${LARGE}"],"resultType":"complete"}`;
  test.each<[string, string, (id: string) => readonly string[]]>([
    ['answers another request', 'protocol', () => [`{"result":${large}`, ',"id":"other"}']],
    ['says no id', 'protocol', () => [`{"result":${large}`, '}']],
    ['ends too early', 'protocol', (id) => [`{"id":"${id}","result":{"content":["${LARGE}`, LARGE]],
    ['goes on behind its end', 'protocol', (id) => [`{"id":"${id}","result":${large}`, '}', '{}']],
    ['is no JSON in its middle', 'protocol', (id) => [`{"id":"${id}","result":{"content":["${LARGE}`, '\n"]}}']],

    ['has a second result', 'protocol', (id) => [`{"id":"${id}","result":${large}`, ',"result":{}}']],
    ['has an error too', 'protocol', (id) => [`{"id":"${id}","result":${large}`, ',"error":{"code":1,"message":"x"}}']],
    [
      'asks at its end',
      'protocol',
      (id) => [`{"id":"${id}","result":{"content":["${LARGE}"]`, ',"requestState":"s","resultType":"input_required"}}'],
    ],
    ['is of a kind nobody knows', 'protocol', (id) => [`{"id":"${id}","result":{"content":["${LARGE}"]`, ',"resultType":"task"}}']],
    ['says no kind', 'protocol', (id) => [`{"id":"${id}","result":{"content":["${LARGE}"]`, '}}']],
    ['is larger than allowed', 'too_large', (id) => [`{"id":"${id}","result":{"content":["`, ...Array<string>(10).fill(LARGE)]],
  ])('and %s is never whole, and goes on record as a failure of its server', async (_, reason, make) => {
    answerWith(make);
    const response = await call('m');
    await expect(response.text()).rejects.toThrow('terminated');
    expect(outcome()).toMatchObject({ status: 'upstream_error', reason: `upstream.${reason}` });
  });

  test('stays without its end where its outcome cannot be recorded', async () => {
    let finish = (): void => undefined;
    upstream.answer = ({ message, response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"id":"${message.id ?? ''}","result":{"content":["${LARGE}`);
      response.write(LARGE);
      finish = () => response.end('end"],"resultType":"complete"}}');
    };
    const response = await call('m');
    live.audits = false;
    finish();
    const received: string[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) received.push(Buffer.from(chunk as Uint8Array).toString());
    };
    await expect(read()).rejects.toThrow('terminated');
    expect(received.join('')).not.toContain('end"');
  });

  test('ends at its server when its client goes away', async () => {
    let closed = false;
    upstream.answer = ({ message, response }) => {
      response.on('close', () => (closed = true));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"id":"${message.id ?? ''}","result":{"content":["${LARGE}`);
    };
    const leaving = new AbortController();
    const response = await call('m', leaving.signal);
    leaving.abort();
    await expect(response.text()).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(closed).toBe(true), 10_000);
    await vi.waitFor(() => expect(outcome()).toMatchObject({ status: 'cancelled' }), 10_000);
  });
});

test('a message with line breaks is one event where the reply is a stream already, whole or in pieces', async () => {
  const http = createServer((request, response) => {
    const reply = new HttpReply(response);
    reply.notify('{}');
    if (request.url === '/whole') return reply.finish(200, ['{\n"a":', Buffer.from('1\r\n}')]);
    const body = reply.begin();
    body?.write(Buffer.from('{\n"a":'));
    body?.end(Buffer.from('1\r\n}'));
  });
  const { url, close } = await listenLoopback(http);
  for (const path of ['/whole', '/pieces']) {
    const text = await (await fetch(url + path)).text();
    expect(text).toBe('event: message\ndata: {}\n\nevent: message\ndata: { "a":1  }\n\n');
  }
  await close();
});

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, turns = 0; at < text.length; turns += 1) {
    const end = at + (sizes[turns % sizes.length] ?? 1);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
