import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

const call = (rest: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call",${rest}}`;
const args = (json: string): string => call(`"params":{"name":"m__run","arguments":${json}}`);
const error = (answer: string): { status: number; code: number | undefined; id: unknown } => {
  const { id, error: fault } = JSON.parse(bodyOf(answer)) as { id: unknown; error?: { code: number } };
  return { status: statusOf(answer), code: fault?.code, id };
};

const P700 = { status: 400, code: -32700, id: null };
const P600 = { status: 400, code: -32600, id: null };
const P600of1 = { ...P600, id: 1 };

describe('a body that is not sound never reaches a server', () => {
  test.each<[string, object, string | Buffer]>([
    ['A20: 65 levels', P700, args('['.repeat(63) + ']'.repeat(63))],
    ['A20: 20,000 levels', P700, args('['.repeat(20_000) + ']'.repeat(20_000))],
    ['A20: 60,000 levels and no end', P700, '['.repeat(60_000)],
    ['A20: objects without end', P700, '{"a":'.repeat(10_000)],
    ['A20: a key of 32 KiB', P700, args(`{"${'k'.repeat(32_768)}":1}`)],
    ['A20: a number of 32 KiB', P600of1, args(`{"n":${'9'.repeat(32_768)}}`)],
    ['A22: __proto__ in arguments', P700, args('{"__proto__":{"polluted":1}}')],
    ['A22: __proto__ in escapes', P700, args('{"\\u005f_proto__":{"polluted":1}}')],
    ['A22: constructor.prototype', P700, args('{"constructor":{"prototype":{"polluted":1}}}')],
    ['A22: __proto__ in _meta', P700, call('"params":{"name":"m__run","_meta":{"a":[{"__proto__":1}]}}')],
    ['A22: __proto__ at the top', P700, '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{}}'],
    ['A23: bytes that are not UTF-8', P700, Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), 0xff, ...Buffer.from('"}')])],
    ['A23: an overlong encoding', P700, Buffer.from([...Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), 0xc0, 0xaf, ...Buffer.from('"}')])],
    ['A23: a byte order mark', P700, '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}'],
    ['A23: UTF-16', P700, Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}', 'utf16le')],
    ['A23: a surrogate alone in arguments', P600of1, args('{"a":"\\ud800"}')],
    ['A23: a surrogate alone in a name', P600of1, call('"params":{"name":"m__run\\udc00"}')],
    ['A23: U+0000 in a method', P600of1, '{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000"}'],
    ['A25: id null', P600, '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['A25: id 1.5', P600, '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
    ['A25: id 1e400', P600, '{"jsonrpc":"2.0","id":1e400,"method":"ping"}'],
    ['A25: id 9007199254740993', P600, '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'],
    ['A25: id true', P600, '{"jsonrpc":"2.0","id":true,"method":"ping"}'],
    ['A25: id {}', P600, '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['A25: an id of 10 KiB', P600, `{"jsonrpc":"2.0","id":"${'i'.repeat(10_240)}","method":"ping"}`],
    ['A26: an empty batch', P600, '[]'],
    ['A26: a batch of no messages', P600, '[1]'],
    [
      'A26: 101 in a batch',
      P600,
      JSON.stringify(Array.from({ length: 101 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'm__run' } }))),
    ],
    ['A26: a batch in a batch', P600, `[[${args('{}')}]]`],
    ['A26: one id twice in a batch', P600, `[${args('{}')},${args('{}')}]`],
    ['A26: a good call beside a bad one', P600, `[${args('{}')},{"jsonrpc":"1.0"}]`],
    ['A27: jsonrpc 1.0', P600of1, '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['A27: jsonrpc missing', P600of1, '{"id":1,"method":"ping"}'],
    ['A27: jsonrpc a number', P600of1, '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['A27: an empty method', P600of1, '{"jsonrpc":"2.0","id":1,"method":""}'],
    ['A27: a method that is a number', P600of1, '{"jsonrpc":"2.0","id":1,"method":1}'],
    ['A27: a method of 10 KiB', P600of1, `{"jsonrpc":"2.0","id":1,"method":"${'m'.repeat(10_240)}"}`],
    ['A27: params an array', P600of1, '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ['A27: params a string', P600of1, '{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}'],
    ['A27: params null', P600of1, '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}'],
    ['A27: a foreign member', P600of1, '{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}'],
    ['A27: result and method', P600of1, '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
    ['A27: an answer to a question nobody asked', P600, '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['A27: result and error', P600of1, '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}'],
    ['A27: top level null', P600, 'null'],
    ['A27: top level string', P600, '"x"'],
    ['A56: a progress token that is an object', P600of1, call('"params":{"name":"m__run","_meta":{"progressToken":{}}}')],
    ['A56: a progress token beyond exact integers', P600of1, call('"params":{"name":"m__run","_meta":{"progressToken":9007199254740993}}')],
  ])('%s', async (_what, expected, body) => {
    const since = stage.mark();
    const answer = await stage.send({ body });
    expect(error(answer)).toEqual(expected);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    await stage.unharmed(body.toString('latin1'), answer, since);
  });

  test('A26: batches belong to one revision, and run nowhere else', async () => {
    const since = stage.mark();
    const answer = await stage.send({ body: `[${args('{}')}]`, headers: { 'MCP-Protocol-Version': '2025-06-18' } });
    expect(error(answer)).toEqual(P600);
    await stage.unharmed('', answer, since);
  });

  test('A27: a client of 2026-07-28 posts no answers', async () => {
    const since = stage.mark();
    const answer = await stage.send({ body: '{"jsonrpc":"2.0","id":1,"result":{}}', headers: { 'MCP-Protocol-Version': '2026-07-28' } });
    expect(error(answer)).toEqual(P600of1);
    await stage.unharmed('', answer, since);
  });

  test.each([
    'rpc.x',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'tools/destroy',
    'tools/call ',
    'TOOLS/CALL',
    'tasks/get',
    'tasks/cancel',
  ])('A27: nobody knows the method %s', async (method) => {
    const since = stage.mark();
    const answer = await stage.send({ body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'm__run' } }) });
    expect(error(answer)).toEqual({ status: 200, code: -32601, id: 1 });
    await stage.unharmed(method, answer, since);
  });
});

describe('A25: an id comes back exactly', () => {
  test.each(['""', '"__proto__"', '"constructor"', '0', '-7', '9007199254740991', '"1"', '"\\u00e9\\"\\n"'])('%s', async (id) => {
    const answer = await stage.send({ body: `{"jsonrpc":"2.0","id":${id},"method":"ping"}` });
    const echoed = (JSON.parse(Buffer.from(bodyOf(answer), 'latin1').toString()) as { id: unknown }).id;
    expect(echoed).toBe(JSON.parse(id));
  });

  test('none is a notification, which has no answer', async () => {
    const since = stage.mark();
    const answer = await stage.send({ body: '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"m__run"}}' });
    expect([statusOf(answer), bodyOf(answer)]).toEqual([202, '']);
    await stage.unharmed('', answer, since, { traced: false });
  });
});

describe('A21: what a server is told is what was authorised', () => {
  const received: string[] = [];
  beforeAll(() => {
    stage.upstream.answer = (exchange) => {
      received.push(JSON.stringify(exchange.message));
      obey(exchange);
    };
  });

  test.each([
    ['a method', '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"m__run"}}'],
    ['a name', call('"params":{"name":"off__run","name":"m__run"}')],
    ['a name in escapes', call('"params":{"name":"off__run","n\\u0061me":"m__run"}')],
    ['the arguments', call('"params":{"name":"m__run","arguments":{"x":1},"arguments":{"x":2}}')],
    ['an argument', args('{"x":1,"x":2}')],
    ['the params', '{"jsonrpc":"2.0","id":1,"params":{"name":"off__run"},"method":"tools/call","params":{"name":"m__run"}}'],
  ])('where %s comes twice, only what counted goes on', async (_what, body) => {
    received.length = 0;
    expect(statusOf(await stage.send({ body }))).toBe(200);
    expect(received).toHaveLength(1);
    const { params } = JSON.parse(received[0] ?? '') as { params: { name: string; arguments?: object } };
    const counted = (JSON.parse(body) as { params: { arguments?: object } }).params.arguments;
    expect(params).toMatchObject({ name: 'run', ...(counted !== undefined && { arguments: counted }) });
    expect(received[0]).not.toMatch(/off|"x":1/);
  });

  test('where the name that counts is not granted, nothing goes on', async () => {
    const since = stage.mark();
    const answer = await stage.send({ body: call('"params":{"name":"m__run","name":"off__run"}') });
    expect(error(answer)).toEqual({ status: 200, code: -32602, id: 1 });
    await stage.unharmed('', answer, since);
  });

  test('A21: what one agent sent does not change the names in what another sends', async () => {
    const [alice, bob] = stage.policy.agents;
    // The engine would take the second name of Bob's arguments for that of Alice's, whose characters are how his is written.
    const sent = [
      { token: alice.token, body: args('{"of two":1,"\\\\u00":1}') },
      { token: bob.token, body: args('{"of two":1,"\\u0070ath":"/b"}').replace('m__run', 'm__walk') },
    ];
    received.length = 0;
    for (const request of sent) expect(statusOf(await stage.send(request))).toBe(200);
    expect(received.map((text) => (JSON.parse(text) as { params: { arguments: object } }).params.arguments)).toEqual([
      { 'of two': 1, '\\u00': 1 },
      { 'of two': 1, path: '/b' },
    ]);
  });

  test('A23: NUL and odd characters in arguments pass as they are, and are on record', async () => {
    received.length = 0;
    const rows = stage.events.length;
    const value = { text: 'a\0b\u2028\u202e\u{1f600}' };
    expect(statusOf(await stage.send({ body: args(JSON.stringify(value)) }))).toBe(200);
    expect(JSON.parse(received[0] ?? '')).toMatchObject({ params: { arguments: value } });
    expect(stage.events.slice(rows).map(({ phase }) => phase)).toEqual(['intent', 'outcome']);
  });
});
