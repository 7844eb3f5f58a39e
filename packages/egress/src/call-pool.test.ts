import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { errors, Pool, type Dispatcher } from 'undici';
import { afterEach, expect, test, vi } from 'vitest';
import type { PoolOptions } from './call-pool.js';
import { createEgress } from './create-egress.js';
import { startRawServer, type RawServer } from './testing/raw-server.js';

const closers: (() => unknown)[] = [];
const LONG = { timeout: 10_000 };

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Answer = (socket: Socket, text: string, count: number) => void;
const ok = (body: string, headers = ''): string => `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const numbered: Answer = (socket, _text, count) => void socket.write(ok(`answer ${count}`));

async function serve(answer: Answer, options: PoolOptions = {}) {
  const server = await startRawServer(answer);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const pool = egress.poolFor(`http://127.0.0.1:${server.port}`, options);
  closers.push(
    () => server.close(),
    () => egress.close(),
    () => pool.destroy(),
  );
  return { server, pool, post: (body = '{}', more: Partial<Dispatcher.RequestOptions> = {}) => post(pool, body, more) };
}

async function post(pool: Dispatcher, body: string, more: Partial<Dispatcher.RequestOptions> = {}): Promise<string> {
  const answer = await pool.request({ path: '/mcp', method: 'POST', headers: ['x-kind', 'test'], body, ...more });
  return `${answer.statusCode} ${await answer.body.text()}`;
}

const connectionsOf = ({ requests }: RawServer): number[] => requests.map(({ connection }) => connection);

test('a request goes out whole and as it was meant, one after the other on one connection', async () => {
  const { server, post } = await serve(numbered);
  expect(await post('{"a":"ä€"}')).toBe('200 answer 1');
  expect(await post('{}')).toBe('200 answer 2');
  expect(connectionsOf(server)).toEqual([0, 0]);
  const head = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\nx-kind: test\r\n`;
  expect(server.requests.map(({ text }) => text)).toEqual([`${head}content-length: 13\r\n\r\n{"a":"ä€"}`, `${head}content-length: 2\r\n\r\n{}`]);
});

test('nothing that would be read as another request, or another header, is sent', async () => {
  const { server, pool, post } = await serve(numbered);
  const unfit = ['a\r\nx: y', 'a\nb', 'a\0b', 'ä', 'a\u2028b'];
  for (const value of unfit) await expect(post('{}', { headers: ['x-kind', value] })).rejects.toBeInstanceOf(errors.InvalidArgumentError);
  const names = ['a b', 'a:b', '', 'x\r\ny', 'Content-Length', 'transfer-encoding', 'Host', 'connection', 'upgrade', 'expect'];
  for (const name of names) await expect(post('{}', { headers: [name, '1'] })).rejects.toBeInstanceOf(errors.InvalidArgumentError);
  for (const path of ['/a b', '/a\r\nb', 'http://other.example/', '*', '/ä'])
    await expect(pool.request({ path, method: 'POST', body: '{}' })).rejects.toBeInstanceOf(errors.InvalidArgumentError);
  expect(server.requests).toEqual([]);
});

test('what comes unasked on an idle connection is nobody’s answer: the connection ends', async () => {
  const sockets: Socket[] = [];
  const { server, post } = await serve((socket, text, count) => {
    sockets.push(socket);
    numbered(socket, text, count);
  });
  expect(await post()).toBe('200 answer 1');
  const gone = new Promise((resolve) => sockets[0]?.once('close', resolve));
  sockets[0]?.write(ok('poison'));
  await turn(); // as calls do, whose intent is recorded first
  expect(await post()).toBe('200 answer 2');
  await gone;
  expect(await post()).toBe('200 answer 3');
  expect(new Set(connectionsOf(server)).size).toBe(2);
});

test('an answer with more behind it is given, and its connection takes no other request', async () => {
  const { server, post } = await serve(
    (socket, _text, count) => void socket.write(`${ok(`answer ${count}`)}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`),
  );
  for (const count of [1, 2, 3]) expect(await post()).toBe(`200 answer ${count}`);
  expect(connectionsOf(server)).toEqual([0, 1, 2]);
});

test('a connection that its server closed while idle costs no request', async () => {
  const { server, post } = await serve((socket, _text, count) => void socket.end(ok(`answer ${count}`)));
  for (const count of [1, 2, 3]) {
    expect(await post()).toBe(`200 answer ${count}`);
    await turn();
  }
  expect(connectionsOf(server)).toEqual([0, 1, 2]);
});

test.each([['Connection: close\r\n'], ['connection: x, CLOSE\r\n'], ['keep-alive: timeout=1\r\n']])(
  'after %j a connection takes no other request',
  async (header) => {
    const { server, post } = await serve((socket, _text, count) => void socket.write(ok(`answer ${count}`, header)));
    for (const count of [1, 2]) expect(await post()).toBe(`200 answer ${count}`);
    expect(connectionsOf(server)).toEqual([0, 1]);
  },
);

test('a request whose connection breaks is never sent again, however little came of its answer', async () => {
  for (const part of ['', 'HTTP/1.1 200 OK\r\ncontent-le', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell']) {
    const { server, post } = await serve((socket) => void socket.end(part));
    await expect(post()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(server.requests).toHaveLength(1);
  }
});

test('where nobody listens the request has not begun', async () => {
  const { server, pool } = await serve(numbered);
  await server.close();
  const begun = vi.fn<() => void>();
  const error = await new Promise<Error>((resolve) => {
    const handler = { onRequestStart: begun, onResponseError: (_controller: unknown, failure: Error) => resolve(failure) };
    pool.dispatch({ path: '/', method: 'POST', body: '{}' }, handler);
  });
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(begun).not.toHaveBeenCalled();
});

test('no more connections are opened than were allowed, and whoever waits has its turn', async () => {
  const waiting: (() => void)[] = [];
  const { server, post } = await serve((socket, _text, count) => void waiting.push(() => socket.write(ok(`answer ${count}`))), { connections: 2 });
  const all = Promise.all([1, 2, 3, 4, 5].map(() => post()));
  for (let answered = 0; answered < 5; answered += 1) {
    await vi.waitFor(() => expect(waiting.length).toBeGreaterThan(0), LONG);
    expect(server.requests.length - answered).toBeLessThanOrEqual(2);
    waiting.shift()?.();
  }
  expect((await all).sort()).toEqual([1, 2, 3, 4, 5].map((count) => `200 answer ${count}`));
  expect(new Set(connectionsOf(server)).size).toBe(2);
});

test('one that breaks makes room for whoever waits', async () => {
  const { post } = await serve((socket, _text, count) => (count === 1 ? void socket.destroy() : void socket.write(ok(`answer ${count}`))), {
    connections: 1,
  });
  const [first, second] = await Promise.allSettled([post(), post()]);
  expect(first).toMatchObject({ status: 'rejected' });
  expect(second).toEqual({ status: 'fulfilled', value: '200 answer 2' });
});

test('an answer that is read slowly is not taken into memory, and is whole even when its server has gone', async () => {
  const size = 8 * 1024 * 1024;
  let written: Socket | undefined;
  const { pool } = await serve((socket) => {
    written = socket;
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`);
  });
  let bytes = 0;
  let controller: Dispatcher.DispatchController | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    pool.dispatch(
      { path: '/', method: 'POST', body: '{}' },
      {
        onResponseData: (given, piece) => {
          bytes += piece.length;
          controller = given;
          given.pause();
        },
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(0), LONG);
  const before = bytes;
  await pause(50);
  expect(bytes).toBe(before);
  expect(written?.writableLength).toBeGreaterThan(0);
  const reading = setInterval(() => controller?.resume(), 0);
  await ended.finally(() => clearInterval(reading));
  expect(bytes).toBe(size);
});

test('a head, or a piece after it, that does not come in time ends the exchange; one that was given up waits for nothing', async () => {
  const silent = await serve(() => undefined);
  await expect(silent.post('{}', { headersTimeout: 50 })).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' });
  const slow = await serve((socket) => {
    let at = 0;
    const dribble = setInterval(() => socket.write('HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'[at++] ?? 'y'), 20);
    socket.on('close', () => clearInterval(dribble));
  });
  await expect(slow.post('{}', { headersTimeout: 300 })).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' });
  const stuck = await serve((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel'));
  await expect(stuck.post('{}', { bodyTimeout: 50 })).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
  const failed = vi.fn<(controller: unknown, error: Error) => void>();
  const reason = new Error('not wanted any more');
  silent.pool.dispatch(
    { path: '/', method: 'POST', body: '{}' },
    { onRequestStart: (controller) => controller.abort(reason), onResponseError: failed },
  );
  await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1), LONG);
  expect(failed.mock.calls[0]?.[1]).toBe(reason);
  expect(silent.server.requests).toHaveLength(1);
});

test('what a listener throws ends its exchange and nobody else’s', async () => {
  const { pool, post } = await serve(numbered);
  const fault = new Error('of a listener');
  const error = await new Promise((resolve) => {
    const onResponseStart = (): never => {
      throw fault;
    };
    pool.dispatch({ path: '/', method: 'POST', body: '{}' }, { onResponseStart, onResponseError: (_controller, thrown) => resolve(thrown) });
  });
  expect(error).toBe(fault);
  expect(await post()).toBe('200 answer 2');
});

test('closing waits for what is under way and takes nothing new; destroying ends it', async () => {
  const waiting: (() => void)[] = [];
  const answer: Answer = (socket, _text, count) => void waiting.push(() => socket.write(ok(`answer ${count}`)));
  const first = await serve(answer);
  const asked = first.post();
  await vi.waitFor(() => expect(waiting).toHaveLength(1), LONG);
  const closed = first.pool.close();
  await expect(first.post()).rejects.toBeInstanceOf(errors.ClientClosedError);
  waiting.shift()?.();
  expect(await asked).toBe('200 answer 1');
  await closed;
  const second = await serve(answer, { connections: 1 });
  const both = Promise.allSettled([second.post(), second.post()]);
  await vi.waitFor(() => expect(waiting).toHaveLength(1), LONG);
  await second.pool.destroy();
  for (const { status } of await both) expect(status).toBe('rejected');
});

test('of broken responses none is taken that undici’s parser refuses', async () => {
  const valid = [
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  ];
  let response = Buffer.alloc(0);
  const { server, post: ours } = await serve((socket) => void socket.end(response));
  const other = new Pool(`http://127.0.0.1:${server.port}`);
  closers.push(() => other.destroy());
  const byte = fc.constantFrom(...'\r\n\0 \t:;,0159aAfxX-+\x7f\x80'.split(''));
  const anyFault = fc.record({ of: fc.constantFrom(...valid), at: fc.nat(70), cut: fc.nat(2), put: fc.array(byte, { maxLength: 2 }) });
  let agreed = 0;
  await fc.assert(
    fc.asyncProperty(anyFault, async ({ of, at, cut, put }) => {
      const text = of.slice(0, at) + put.join('') + of.slice(at + cut);
      // White space after a value is no part of it (RFC 9110 §5.5); undici holds the length against it all the same.
      fc.pre(!/content-length:[^\r]*[ \t]\r/.test(text));
      response = Buffer.from(text, 'latin1');
      const taken = await ours().catch(() => undefined);
      const theirs = await post(other, '{}').catch(() => undefined);
      if (taken !== undefined) expect(theirs).toBe(taken);
      if (taken !== undefined) agreed += 1;
    }),
    { numRuns: 300 },
  );
  expect(agreed).toBeGreaterThan(0);
}, 60_000);
