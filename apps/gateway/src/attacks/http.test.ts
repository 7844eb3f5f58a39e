import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVER_LIMITS } from '../edge/server-limits.js';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { eventually } from '../testing/eventually.js';
import { RawConnection } from '../testing/raw-connection.js';
import { bodyOf, rawExchange, statusOf } from '../testing/raw-exchange.js';
import { PING, rawRequest, type RawRequest } from '../testing/raw-request.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage({ connectionsPerSourceMax: 40 });
});
afterAll(() => stage.stop());
const alice = () => stage.policy.agents[0];

const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"m__run"}}';
const without = (name: string): RawRequest => ({ headers: { [name]: undefined } });
const withHeader = (name: string, value: string): RawRequest => ({ headers: { [name]: value } });

/** Sends these bytes with a call behind them; gives all that comes back until the node ends the connection. */
async function conversation(bytes: Buffer | string): Promise<string> {
  const connection = await RawConnection.open(stage.port);
  connection.socket.write(bytes);
  return connection.until('closed');
}

describe('A1: ambiguous framing ends the connection, and a call hidden behind it does not run', () => {
  const hidden = (): Buffer => rawRequest({ token: alice().token, body: call });
  const chunked = { headers: { 'Content-Length': undefined }, body: '' };
  test.each<[string, RawRequest]>([
    ['CL.TE', { extra: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' }],
    ['TE.CL', { ...chunked, extra: ['Transfer-Encoding: chunked', 'Content-Length: 4'], body: '0\r\n\r\n' }],
    ['TE.TE', { ...chunked, extra: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'] }],
    ['chunked, identity', { ...chunked, extra: ['Transfer-Encoding: chunked, identity'] }],
    ['an unknown coding', { ...chunked, extra: ['Transfer-Encoding: xchunked'] }],
    ['a folded line', { extra: ['X-A: b', ' Content-Length: 4'] }],
    ['a space before the colon', { extra: ['Content-Length : 4'] }],
    ['a sign before the length', withHeader('Content-Length', '+40')],
    ['a length in hexadecimal', withHeader('Content-Length', '0x28')],
    ['a negative length', withHeader('Content-Length', '-1')],
    ['two equal lengths', { extra: [`Content-Length: ${String(PING.length)}`] }],
    ['two lengths in one line', withHeader('Content-Length', '40, 40')],
    ['a NUL in a header', { extra: ['X-A: b\0c'] }],
    ['a bare carriage return', { extra: ['X-A: b\rContent-Length: 4'] }],
    ['a chunk size that is none', { ...chunked, extra: ['Transfer-Encoding: chunked'], body: 'xyz\r\n\r\n' }],
    ['a chunk extension of 64 KiB', { ...chunked, extra: ['Transfer-Encoding: chunked'], body: `5;${'x'.repeat(65_536)}\r\n` }],
  ])('%s', async (_what, request) => {
    const since = stage.mark();
    const bytes = rawRequest({ token: alice().token, ...request });
    const answer = await conversation(Buffer.concat([bytes, hidden()]));
    expect([400, 413]).toContain(statusOf(answer));
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(answer).toMatch(/connection: close/i);
    await stage.unharmed(bytes.toString('latin1'), answer, since);
  });

  test('bare line feeds', async () => {
    const since = stage.mark();
    const bytes = rawRequest({ token: alice().token }).toString('latin1').replaceAll('\r\n', '\n');
    const answer = await conversation(Buffer.concat([Buffer.from(bytes), hidden()]));
    expect(statusOf(answer)).toBe(400);
    await stage.unharmed(bytes, answer, since);
  });
});

describe('A2–A4: what is not HTTP/1.1 as we serve it', () => {
  test.each<[string, readonly number[], RawRequest | string]>([
    ['A2: an HTTP/0.9 line', [400], 'GET /mcp\r\n\r\n'],
    ['A2: HTTP/1.0 with keep-alive', [400], { line: 'POST /mcp HTTP/1.0', extra: ['Connection: keep-alive'] }],
    ['A2: HTTP/1.2', [400], { line: 'POST /mcp HTTP/1.2' }],
    ['A2: HTTP/2 preface', [400, 405], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['A2: a TLS hello', [400], '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['A3: CONNECT', [405], 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'],
    ['A3: TRACE', [405], { line: 'TRACE /mcp HTTP/1.1', ...without('Content-Length'), body: '' }],
    ['A3: PUT', [405], { line: 'PUT /mcp HTTP/1.1' }],
    ['A3: an expectation nobody meets', [417], { extra: ['Expect: miracles'] }],
    ['A4: 20 KiB of one header', [431], withHeader('X-Long', 'x'.repeat(20_000))],
    ['A4: 3,000 headers', [431], { extra: Array.from({ length: 3000 }, () => 'a:') }],
    ['A4: 64 KiB of URL', [431], { line: `POST /mcp?${'x'.repeat(65_536)} HTTP/1.1` }],
    ['A9: two Host, the second behind 2,100 headers', [400, 431], { extra: [...Array.from({ length: 2100 }, () => 'a:'), 'Host: evil.example'] }],
  ])('%s', async (what, statuses, request) => {
    const since = stage.mark();
    const bytes = typeof request === 'string' ? Buffer.from(request, 'latin1') : rawRequest({ token: alice().token, ...request });
    const connection = await RawConnection.open(stage.port);
    connection.socket.write(bytes);
    const answer = await connection.until(/\r\n\r\n/);
    expect(statuses).toContain(statusOf(answer));
    connection.socket.destroy();
    await stage.unharmed(bytes.toString('latin1'), answer, since, { traced: !what.includes('expectation') });
  });

  test.each([
    ['A3: to WebSocket', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']],
    ['A3: to clear-text HTTP/2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']],
  ])('an upgrade %s is not taken up', async (_what, extra) => {
    expect(await stage.send({ extra })).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('who may be asked, and from where', () => {
  test.each<[string, number, RawRequest]>([
    ['A8: a foreign Origin', 403, withHeader('Origin', 'https://evil.example')],
    ['A8: Origin null', 403, withHeader('Origin', 'null')],
    ['A8: an empty Origin', 403, withHeader('Origin', '')],
    ['A8: two Origins', 403, { extra: ['Origin: http://localhost', 'Origin: https://evil.example'] }],
    ['A8: an Origin that begins like ours', 403, withHeader('Origin', 'http://localhost.evil.example')],
    ['A8: an Origin that ends like ours', 403, withHeader('Origin', 'http://evil-localhost')],
    ['A8: an Origin with a trailing dot', 403, withHeader('Origin', 'http://localhost.')],
    ['A8: an Origin with a path', 403, withHeader('Origin', 'http://localhost/x')],
    ['A8: an Origin with a user', 403, withHeader('Origin', 'http://localhost@evil.example')],
    ['A8: an Origin of another scheme', 403, withHeader('Origin', 'file://localhost')],
    ['A9: a foreign Host', 403, withHeader('Host', 'evil.example')],
    ['A9: no Host', 403, without('Host')],
    ['A9: an empty Host', 403, withHeader('Host', '')],
    ['A9: two Hosts', 400, { extra: ['Host: evil.example'] }],
    ['A9: a Host with a user', 403, withHeader('Host', 'localhost@evil.example')],
    ['A9: a Host with a path', 403, withHeader('Host', 'localhost/evil')],
    ['A9: an IP that is not listed', 403, withHeader('Host', '169.254.169.254')],
    ['A9: an absolute-form target', 400, { line: 'POST http://evil.example/mcp HTTP/1.1' }],
    ['A9: an asterisk for a target', 404, { line: 'OPTIONS * HTTP/1.1' }],
    ['A10: a name that was made to resolve here', 403, withHeader('Host', 'rebound.evil.example')],
    ['A10: a preflight of a page', 405, { line: 'OPTIONS /mcp HTTP/1.1', headers: { Origin: 'http://localhost' } }],
  ])('%s', async (_what, status, request) => {
    const since = stage.mark();
    const answer = await stage.send(request);
    expect(statusOf(answer)).toBe(status);
    expect(answer).not.toMatch(/access-control-/i);
    if (status === 403) expect(bodyOf(answer)).toBe('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Forbidden"}}');
    await stage.unharmed('', answer, since);
  });

  test('A8: no Origin is no page, and is served', async () => {
    expect(statusOf(await stage.send(without('Origin')))).toBe(200);
  });

  test('A10: the body of a forbidden request is not waited for', async () => {
    const connection = await RawConnection.open(stage.port);
    connection.socket.write(rawRequest({ headers: { Origin: 'https://evil.example', 'Content-Length': '1000000' }, body: '' }));
    expect(statusOf(await connection.until('closed'))).toBe(403);
  });
});

describe('what a body may be', () => {
  test.each<[string, number, RawRequest]>([
    ['A11: no type', 415, without('Content-Type')],
    ['A11: text/plain', 415, withHeader('Content-Type', 'text/plain')],
    ['A11: a form', 415, withHeader('Content-Type', 'application/x-www-form-urlencoded')],
    ['A11: multipart', 415, withHeader('Content-Type', 'multipart/form-data; boundary=x')],
    ['A13: a type with a tab and more', 415, withHeader('Content-Type', 'application/json\ta')],
    ['A13: two types', 400, { extra: ['Content-Type: application/json'] }],
    ['A13: two types in one line', 415, withHeader('Content-Type', 'application/json, text/plain')],
    ['A13: UTF-16', 415, withHeader('Content-Type', 'application/json; charset=utf-16')],
    ['A13: Latin-1', 415, withHeader('Content-Type', 'application/json; charset=latin1')],
    ['A13: another JSON type', 415, withHeader('Content-Type', 'application/json-patch+json')],
    ['A14: gzip', 415, { headers: { 'Content-Encoding': 'gzip' }, body: Buffer.from([0x1f, 0x8b, 8, 0]) }],
    ['A14: br', 415, withHeader('Content-Encoding', 'br')],
    ['A14: deflate', 415, withHeader('Content-Encoding', 'deflate')],
    ['A14: double gzip', 415, withHeader('Content-Encoding', 'gzip, gzip')],
    ['A15: text/html', 406, withHeader('Accept', 'text/html')],
    ['A15: none', 406, without('Accept')],
    ['A15: JSON alone', 406, withHeader('Accept', 'application/json')],
    ['A15: everything at q=0', 406, withHeader('Accept', '*/*;q=0')],
    ['A15: a stream at q=0', 406, withHeader('Accept', 'application/json, text/event-stream;q=0.0')],
    ['A16: two Authorization', 400, { extra: ['Authorization: Bearer x'] }],
    ['A16: two Mcp-Name', 400, { extra: ['Mcp-Name: a', 'mcp-name: b'] }],
    ['A16: two Mcp-Session-Id', 400, { extra: ['Mcp-Session-Id: a', 'Mcp-Session-Id: b'] }],
    ['A24: a byte too much by its length', 413, { headers: { 'Content-Length': '65537' }, body: '' }],
    [
      'A24: a byte too much in chunks',
      413,
      { headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, body: `10001\r\n${' '.repeat(65_537)}\r\n0\r\n\r\n` },
    ],
  ])('%s', async (_what, status, request) => {
    const since = stage.mark();
    const answer = await stage.send(request);
    expect(statusOf(answer)).toBe(status);
    if (status === 413) expect(answer).toMatch(/connection: close/i);
    await stage.unharmed('', answer, since);
  });

  test('A16: an underscore is no hyphen, and headers of other people’s proxies say nothing', async () => {
    const extra = [
      'mcp_name: x',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-For: 1.2.3.4',
      'X-Original-URL: /servers/off/mcp',
      'X-HTTP-Method-Override: DELETE',
    ];
    expect(bodyOf(await stage.send({ extra }))).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
  });

  test('A19: headers that look internal have no effect and go nowhere', async () => {
    let forwarded: Record<string, unknown> = {};
    stage.upstream.answer = (exchange) => {
      forwarded = exchange.request.headers;
      obey(exchange);
    };
    const names = ['x-agent-id', 'x-internal-node', 'x-policy-revision', 'x-upstream-url', 'x-tenant', 'x-portcullis-agent'];
    const extra = names.map((name) => `${name}: ${stage.policy.agents[1].id}`);
    expect(statusOf(await stage.send({ body: call, extra }))).toBe(200);
    expect(Object.keys(forwarded).filter((name) => names.includes(name))).toEqual([]);
    expect(stage.events.at(-1)).toMatchObject({ agentId: alice().id });
    stage.upstream.answer = obey;
  });
});

describe('A17: a path in another spelling never reaches what stands behind the canonical one', () => {
  const paths = [
    '//mcp',
    '/mcp/',
    '/MCP',
    '/%6dcp',
    '/mcp%2f..%2fadmin',
    '/mcp;x',
    '/./mcp',
    '/mcp%00',
    '/mcp/../mcp',
    '/mcp#x',
    '\\mcp',
    '/mcp%20',
    '/mcp.json',
    '/servers//mcp',
    '/servers/m/MCP',
    '/servers/m/mcp/',
    '/servers/%6d/mcp',
    '/servers/m/../off/mcp',
    '/servers/M/mcp',
    '/servers/m%2f/mcp',
    '/',
    '/metrics',
    '/readyz',
    '/v1/servers',
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-authorization-server',
    '/register',
  ];
  test.each(paths)('%s', async (path) => {
    const since = stage.mark();
    for (const token of [alice().token, undefined]) {
      const answer = await stage.send({ line: `POST ${path} HTTP/1.1`, token, body: call });
      expect([400, 404]).toContain(statusOf(answer));
      await stage.unharmed('', answer, since);
    }
  });
});

describe('what one party may take', () => {
  test('A7: connections of one source are counted, beyond its share closed, and free again when they end', async () => {
    const open = await Promise.all(Array.from({ length: 60 }, () => RawConnection.open(stage.port)));
    await eventually(() => expect(open.filter(({ isClosed }) => isClosed).length).toBeGreaterThanOrEqual(20));
    for (const { socket } of open) socket.destroy();
    await eventually(async () => expect(statusOf(await stage.send({}).catch(() => ''))).toBe(200));
  });

  test('A7: of 1,000 requests in one go a few run, and the connection ends', async () => {
    const since = stage.mark();
    const ran = 17;
    const held: (() => void)[] = [];
    stage.upstream.answer = (exchange) => held.push(() => obey(exchange));
    const connection = await RawConnection.open(stage.port);
    const one = rawRequest({ token: alice().token, body: call });
    connection.socket.write(Buffer.concat(Array.from({ length: 1000 }, () => one)));
    await eventually(() => expect(held).toHaveLength(ran));
    await eventually(() => expect(stage.metrics.traces).toBeGreaterThan(100));
    expect(stage.upstream.methods.length - since.calls).toBe(ran);
    stage.upstream.answer = obey;
    for (const release of held) release();
    const answers = await connection.until('closed');
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([...Array.from({ length: ran }, () => '200'), '429']);
    await stage.unharmed('', '', since, { calls: ran });
  });

  test('A18: calls whose callers reset the connection leave no place taken', async () => {
    const hung: (() => void)[] = [];
    stage.upstream.answer = (exchange) => hung.push(() => obey(exchange));
    for (let round = 0; round < 10; round += 1) {
      const gone = await Promise.all(Array.from({ length: 30 }, () => RawConnection.open(stage.port)));
      for (const { socket } of gone) socket.write(rawRequest({ token: alice().token, body: call }), () => socket.resetAndDestroy());
      await Promise.all(gone.map((connection) => connection.until('closed')));
      stage.upstream.answer = obey;
      for (const release of hung.splice(0)) release();
    }
    await eventually(() => expect([stage.server.waiting, stage.metrics.inFlight]).toEqual([0, 0]));
    expect(statusOf(await stage.send({ body: call }))).toBe(200);
  });

  test('A3: who asks to be connected elsewhere and is gone before the refusal takes nothing down', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.prependListener('uncaughtException', note);
    try {
      for (let round = 0; round < 20; round += 1) {
        const { socket } = await RawConnection.open(stage.port);
        socket.write('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', () => socket.resetAndDestroy());
      }
      await eventually(async () => expect([stage.server.waiting, statusOf(await stage.send({ body: call }))]).toEqual([0, 200]));
    } finally {
      process.off('uncaughtException', note);
    }
    expect(uncaught).toEqual([]);
  });

  test('A12: a key in a cookie opens nothing', async () => {
    const since = stage.mark();
    const answer = await stage.send({ token: undefined, headers: { Authorization: undefined, Cookie: `token=${alice().token}` } });
    expect(statusOf(answer)).toBe(401);
    await stage.unharmed('', answer, since);
  });
});

describe('A5: who is slow is told so and sent away', () => {
  test('within 10 s for headers, 15 s for a body, 30 s for an answer nobody takes', () => {
    const { headersMs, requestMs, checkEveryMs, stalledMs } = SERVER_LIMITS;
    expect(headersMs + checkEveryMs).toBeLessThanOrEqual(10_000);
    expect(requestMs + checkEveryMs).toBeLessThanOrEqual(15_000);
    expect(stalledMs).toBeLessThanOrEqual(30_000);
  });

  test('with headers, with a body, and silent', async () => {
    const slow = await startAttackStage({ headersMs: 200, requestMs: 400, checkEveryMs: 50 });
    const since = slow.mark();
    const head = rawRequest({ token: slow.policy.agents[0].token, headers: { 'Content-Length': '1000' }, body: '{' });
    const beginnings = [Buffer.from('POST /mcp HTTP/1.1\r\nHost: local'), head, head.subarray(0, -1), Buffer.from('')];
    const sockets = await Promise.all(beginnings.map(() => RawConnection.open(slow.port)));
    const drip = setInterval(() => {
      for (const { socket } of sockets.slice(0, 2)) socket.write('x');
    }, 50);
    for (const [at, { socket }] of sockets.entries()) socket.write(beginnings[at] ?? '');
    const answers = await Promise.all(sockets.map((connection) => connection.until('closed')));
    clearInterval(drip);
    expect(answers.map(statusOf)).toEqual([408, 408, 408, 408]);
    for (const answer of answers) expect(bodyOf(answer)).toBe('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Request timeout"}}');
    await slow.unharmed('', answers.join(''), since);
    await slow.stop();
  });

  test('2,000 at once, while others are served', async () => {
    const slow = await startAttackStage({ headersMs: 2000, requestMs: 2000, checkEveryMs: 50 });
    const sockets = await Promise.all(Array.from({ length: 2000 }, () => RawConnection.open(slow.port)));
    for (const { socket } of sockets) socket.write('POST /mcp HTTP/1.1\r\nHost: local');
    expect(statusOf(await slow.send({}))).toBe(200);
    const answers = await Promise.all(sockets.map((connection) => connection.until('closed')));
    expect(answers.filter((answer) => statusOf(answer) !== 408)).toEqual([]);
    await slow.unharmed('', answers[0] ?? '', { calls: 0, traces: 1999 });
    await slow.stop();
  });

  test('A6: a reader that takes nothing is cut off', async () => {
    const slow = await startAttackStage({ stalledMs: 300 });
    const text = 'x'.repeat(4_000_000);
    slow.upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [text], resultType: 'complete' } });
    const connection = await RawConnection.open(slow.port);
    connection.socket.pause();
    let cut = false;
    const onRequest = (started: unknown): void => {
      const { socket } = started as { socket: Socket };
      if (socket.remotePort === connection.socket.localPort) socket.once('close', () => (cut = true));
    };
    subscribe('http.server.request.start', onRequest);
    for (let at = 0; at < 8; at += 1) connection.socket.write(rawRequest({ token: slow.policy.agents[0].token, body: call }));
    await eventually(() => expect(cut).toBe(true));
    unsubscribe('http.server.request.start', onRequest);
    connection.socket.resume();
    const received = await connection.until('closed');
    expect(received.length).toBeLessThan(8 * text.length);
    expect(statusOf(await rawExchange(slow.port, rawRequest({ token: slow.policy.agents[0].token })))).toBe(200);
    await slow.stop();
  });
});
