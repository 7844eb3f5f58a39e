import { createHash } from 'node:crypto';
import { hangUpOn } from '@portcullis/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startInternalServer, type InternalServer } from './internal-server.js';
import { NodeClient, NodeUnreachableError } from './node-client.js';
import { SIGNATURE_MS_MAX, signExchange, type NodeLinkKey } from './node-signature.js';

const current: NodeLinkKey = { id: 'k2', key: Buffer.alloc(32, 2) };
const previous: NodeLinkKey = { id: 'k1', key: Buffer.alloc(32, 1) };
const clock = { now: 1_000_000 };
let server: InternalServer;
let client: NodeClient;
let heard: unknown[];

beforeAll(async () => {
  const shared = { keys: () => [current, previous], now: () => clock.now };
  server = await startInternalServer({ host: '127.0.0.1', port: 0, url: undefined, logError: () => undefined, ...shared });
  client = new NodeClient(shared);
  server.route('echo', (body) => {
    heard.push(body);
    return body;
  });
});
beforeEach(() => {
  heard = [];
  clock.now += 10 * SIGNATURE_MS_MAX;
});
afterAll(async () => {
  await Promise.all([client.close(), server.close()]);
});

interface Forged {
  readonly key?: NodeLinkKey;
  readonly path?: string;
  readonly signedPath?: string;
  readonly signedBody?: string;
  readonly recipient?: string;
  readonly method?: string;
  readonly at?: number;
  readonly authorization?: string;
}

async function post(forged: Forged = {}): Promise<number> {
  const { key = current, path = '/internal/echo', method = 'POST' } = forged;
  const body = '{"a":1}';
  const nonce = createHash('sha256').update(JSON.stringify(forged)).digest('base64url').slice(0, 16);
  const authorization =
    forged.authorization ??
    signExchange(
      { method: 'POST', path: forged.signedPath ?? path, recipient: forged.recipient ?? server.url, body: Buffer.from(forged.signedBody ?? body) },
      key,
      { now: forged.at ?? clock.now, nonce },
    );
  return (await fetch(new URL(path, server.url), { method, headers: { authorization }, ...(method === 'POST' && { body }) })).status;
}

test('a node is heard, under either generation of the key', async () => {
  expect(await client.send(server.url, 'echo', { a: [1, 'é'] })).toEqual({ a: [1, 'é'] });
  expect(await post({ key: previous })).toBe(200);
});

describe('nobody else is heard', () => {
  test.each<[string, Forged]>([
    ['an agent key', { authorization: 'Bearer pcl_agent_x_y' }],
    ['no signature', { authorization: 'v1' }],
    ['a key that is not ours', { key: { id: 'k2', key: Buffer.alloc(32, 3) } }],
    ['a key we do not know', { key: { id: 'k9', key: Buffer.alloc(32, 2) } }],
    ['another path than was signed', { signedPath: '/internal/other' }],
    ['another body than was signed', { signedBody: '{"a":2}' }],
    ['another node than was meant', { recipient: 'http://10.0.0.9:9200' }],
    ['another method', { method: 'GET' }],
  ])('%s', async (_what, forged) => {
    expect(await post(forged)).toBe(401);
    expect(heard).toEqual([]);
  });

  test('too early or too late', async () => {
    expect(await post({ at: clock.now - SIGNATURE_MS_MAX - 1 })).toBe(401);
    expect(await post({ at: clock.now + SIGNATURE_MS_MAX + 1 })).toBe(401);
    expect(heard).toEqual([]);
  });

  test('twice with the same signature', async () => {
    expect(await post()).toBe(200);
    expect(await post()).toBe(401);
    expect(heard).toHaveLength(1);
  });
});

test('what nobody serves is not found, but only for those who are heard', async () => {
  expect(await post({ path: '/internal/none' })).toBe(404);
  expect(await post({ path: '/internal/none', authorization: 'v1' })).toBe(401);
});

test('parts come as they are written, and the end after them', async () => {
  server.route('count', (_body, exchange) => {
    for (let at = 0; at < 1000; at += 1) exchange.part({ at, text: 'x'.repeat(1000) });
    return 'done';
  });
  const parts: unknown[] = [];
  expect(await client.send(server.url, 'count', {}, { onPart: (part) => void parts.push(part) })).toBe('done');
  expect(parts).toHaveLength(1000);
});

test('an answer that breaks off is no answer, and its handler knows who has gone', async () => {
  const gone = vi.fn<() => void>();
  server.route('wait', (_body, exchange) => {
    exchange.onGone(gone);
    exchange.part(1);
    return new Promise(() => undefined);
  });
  const leaving = new AbortController();
  const answer = client.send(server.url, 'wait', {}, { signal: leaving.signal, onPart: () => leaving.abort() });
  await expect(answer).rejects.toThrow(NodeUnreachableError);
  await vi.waitFor(() => expect(gone).toHaveBeenCalledOnce(), 10_000);
  server.route('fail', () => {
    throw new Error('no');
  });
  await expect(client.send(server.url, 'fail', {})).rejects.toThrow(NodeUnreachableError);
  await expect(client.send('http://127.0.0.1:9', 'echo', {})).rejects.toThrow(NodeUnreachableError);
});

test('a body over the limit is refused', async () => {
  await expect(client.send(server.url, 'echo', 'x'.repeat(7 * 1024 * 1024))).rejects.toThrow(NodeUnreachableError);
  expect(heard).toEqual([]);
});

test('a node that hangs up at any moment, and a stranger that does, end no other node', async () => {
  const body = JSON.stringify({ a: 'x'.repeat(100_000) });
  const { host, port } = new URL(server.url);
  let signed = 0;
  const post =
    (name: string, ...more: readonly string[]) =>
    (): string => {
      const exchange = { method: 'POST', path: `/internal/${name}`, recipient: server.url, body: Buffer.from(body) };
      const nonce = createHash('sha256')
        .update(String((signed += 1)))
        .digest('base64url')
        .slice(0, 16);
      const authorization = signExchange(exchange, current, { now: clock.now, nonce });
      const head = [`POST ${exchange.path} HTTP/1.1`, `Host: ${host}`, `Authorization: ${authorization}`, `Content-Length: ${String(body.length)}`];
      return [...head, ...more, '', body].join('\r\n');
    };
  server.route('parts', async (_body, exchange) => {
    for (let part = 0; part < 20; part += 1)
      if (!exchange.part('x'.repeat(50_000))) await new Promise<void>((resolve) => exchange.onceDrained(resolve));
    return 'end';
  });
  const requests = {
    echo: post('echo'),
    parts: post('parts'),
    'to go on': post('echo', 'Expect: 100-continue'),
    upgrade: post('echo', 'Connection: Upgrade', 'Upgrade: websocket'),
    unsigned: `POST /internal/echo HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
    connect: 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
    malformed: 'POST /internal/echo HTTP/1.1\r\nHost : x\r\n\r\n',
  };
  const answered = async (): Promise<void> => expect(await client.send(server.url, 'echo', 1)).toBe(1);
  expect(await hangUpOn(Number(port), requests, answered)).toEqual([]);
});
