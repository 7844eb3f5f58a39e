import { createSealer } from '@portcullis/secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AgentSessions } from '../session/agent-sessions.js';
import { STREAMS_PER_AGENT_MAX } from '../streams/change-streams.js';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { eventually } from '../testing/eventually.js';
import { mcpRequest, type Asked } from '../testing/mcp-message.js';
import { RawConnection } from '../testing/raw-connection.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';
import type { Scripted } from '../testing/scripted-server.js';
import { sealCursor } from '../view/cursor.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.upstream.answer = obey;
});

const agents = () => {
  const [alice, bob, nobody] = stage.policy.agents;
  return { alice, bob, nobody };
};
const walk = (asked: Asked) => stage.send(mcpRequest('tools/call', { params: { name: 'm__walk' }, ...asked }));
const handshake = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } };
const ofTheAnswer = (answer: string): string => answer.replaceAll(/(?:Date|Connection|Keep-Alive): [^\r]*\r\n/gi, '');

async function startSession(token: string): Promise<string> {
  return /mcp-session-id: ([^\r]+)/i.exec(await stage.send(mcpRequest('initialize', { token, params: handshake })))?.[1] ?? '';
}

describe('what one agent starts, no other gets', () => {
  test.each(['legacy', 'modern'] as const)('A55: answers of equal ids go to those who asked (%s)', async (era) => {
    const held: (() => void)[] = [];
    stage.upstream.answer = ({ json, message }) => {
      const text = JSON.stringify(message.params?.['arguments']);
      held.push(() => json({ jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }], resultType: 'complete' } }));
    };
    const { alice, bob } = agents();
    const calls = Array.from({ length: 20 }, (_, at) => {
      const mine = `secret-${String(at)}-`;
      return { mine, answer: walk({ era, token: at % 2 ? alice.token : bob.token, params: { name: 'm__walk', arguments: { mine } } }) };
    });
    await eventually(() => expect(held).toHaveLength(20));
    for (const release of held.toReversed()) release();
    for (const { mine, answer } of calls) expect(bodyOf(await answer).match(/secret-\d+-/g)).toEqual([mine]);
  });

  test.each(['"same"', '"__proto__"', '0', '9007199254740991'])(
    'A56: progress under the token %s is rewritten on the way and comes back as it was',
    async (token) => {
      const seen: unknown[] = [];
      stage.upstream.answer = ({ message, response }: Scripted) => {
        const own = (message.params?.['_meta'] as { progressToken: unknown } | undefined)?.progressToken;
        seen.push(own);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const say = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
        for (const progressToken of [own, 'of somebody else', token]) {
          say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1, message: String(progressToken === own) } });
        }
        say({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
        response.end();
      };
      const { alice, bob } = agents();
      const params = { name: 'm__walk', _meta: { progressToken: JSON.parse(token) as unknown } };
      const answers = await Promise.all([alice, bob].map((agent) => walk({ token: agent.token, params, headers: { Connection: 'close' } })));
      expect(new Set(seen).size).toBe(2);
      for (const answer of answers) {
        expect(answer).toContain(`"progressToken":${token}`);
        expect(answer.match(/notifications\/progress/g)).toHaveLength(1);
        expect(answer).not.toContain('"message":"false"');
      }
    },
  );

  test('A61: a call is not cancelled by another agent, by another session or by a modern client', async () => {
    const { alice, bob } = agents();
    let release = (): void => undefined;
    let isGone = false;
    stage.upstream.answer = (exchange) => {
      exchange.response.on('close', () => (isGone = !exchange.response.writableFinished));
      release = () => obey(exchange);
    };
    const since = stage.mark();
    const [mine, other, foreign] = await Promise.all([startSession(alice.token), startSession(alice.token), startSession(bob.token)]);
    const running = walk({ id: 5, headers: { 'Mcp-Session-Id': mine } });
    await eventually(() => expect(stage.mark().calls).toBe(since.calls + 1));
    const body = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}';
    const cancels = [
      { token: bob.token, body },
      { token: bob.token, body, headers: { 'Mcp-Session-Id': foreign } },
      { token: alice.token, body, headers: { 'Mcp-Session-Id': other } },
      { token: alice.token, body, headers: { 'MCP-Protocol-Version': '2026-07-28' } },
      { token: alice.token, body: body.replace('5', '6'), headers: { 'Mcp-Session-Id': mine } },
      { token: alice.token, body: body.replace('5', '"5"'), headers: { 'Mcp-Session-Id': mine } },
      { token: alice.token, body: body.replace('5', '{}'), headers: { 'Mcp-Session-Id': mine } },
    ];
    for (const cancel of cancels) expect(statusOf(await stage.send(cancel))).toBe(202);
    expect(statusOf(await stage.send({ token: bob.token, body, headers: { 'Mcp-Session-Id': mine } }))).toBe(404);
    expect(isGone).toBe(false);
    release();
    expect(bodyOf(await running)).toContain('"result"');
    expect(stage.mark().calls).toBe(since.calls + 1);
  });

  test('A66: each agent gets its own list, whoever asked before', async () => {
    const { alice, bob, nobody } = agents();
    for (const era of ['legacy', 'modern', 'legacy'] as const) {
      const lists = await Promise.all([alice, bob, nobody].map((agent) => stage.send(mcpRequest('tools/list', { era, token: agent.token }))));
      const named = lists.map((list) => [...bodyOf(list).matchAll(/"name":"(\w+__\w+)"/g)].map(([, name]) => name));
      expect(named).toEqual([['l__run', 'm__run', 'm__walk'], ['m__walk'], []]);
    }
  });
});

describe('sessions of the legacy era', () => {
  const unknown = 'A'.repeat(60);
  const requests = (id: string | undefined, token: string) => [
    mcpRequest('ping', { token, headers: { 'Mcp-Session-Id': id } }),
    mcpRequest('tools/call', { token, params: { name: 'm__walk' }, headers: { 'Mcp-Session-Id': id } }),
    mcpRequest('tools/list', { token, headers: { 'Mcp-Session-Id': id } }),
    { token, body: '{"jsonrpc":"2.0","method":"notifications/initialized"}', headers: { 'Mcp-Session-Id': id } },
    { token, line: 'DELETE /mcp HTTP/1.1', body: '', headers: { 'Mcp-Session-Id': id } },
    { token, line: 'DELETE /servers/m/mcp HTTP/1.1', body: '', headers: { 'Mcp-Session-Id': id } },
    { token, line: 'GET /mcp HTTP/1.1', body: '', headers: { 'Mcp-Session-Id': id, 'Content-Type': undefined, 'Content-Length': undefined } },
  ];

  test('A57: another agent’s is as unknown as none, and lives on', async () => {
    const { alice, bob } = agents();
    const id = await startSession(alice.token);
    const since = stage.mark();
    const recorded = stage.events.length;
    const foreign = await Promise.all(requests(id, bob.token).map((request) => stage.send(request)));
    const invented = await Promise.all(requests(unknown, bob.token).map((request) => stage.send(request)));
    expect(foreign.map(ofTheAnswer)).toEqual(invented.map(ofTheAnswer));
    expect(foreign.slice(0, 6).map(statusOf)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(bodyOf(foreign[0] ?? '')).toBe('{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Session not found"}}');
    // Whoever watches the trail tells a stolen id from a mistyped one.
    const reasons = stage.events.slice(recorded).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'client.foreign_session')).toHaveLength(foreign.length);
    expect(reasons.filter((reason) => reason === 'client.unknown_session')).toHaveLength(invented.length);
    await stage.unharmed(id, foreign.join('\n'), since);
    expect(statusOf(await stage.send(mcpRequest('ping', { headers: { 'Mcp-Session-Id': id } })))).toBe(200);
  });

  test.each([
    ['empty', ''],
    ['chosen by the client', 'my-session'],
    ['of 2 KiB', 'A'.repeat(2048)],
    ['of 10 KiB', 'A'.repeat(10_240)],
    ['a path', '../../etc/passwd'],
    ['an object’s own', '__proto__'],
    ['a UUID', '3fa85f64-5717-4562-b3fc-2c963f66afa6'],
  ])('A59: an id that is %s opens nothing', async (_what, id) => {
    const { alice } = agents();
    const since = stage.mark();
    const answers = await Promise.all(requests(id, alice.token).map((request) => stage.send(request)));
    expect(answers.slice(0, 6).map(statusOf)).toEqual([404, 404, 404, 404, 404, 404]);
    await stage.unharmed(id, answers.join('\n'), since);
  });

  test('A59: an id with one character changed opens nothing, wherever it is', async () => {
    const { alice } = agents();
    const id = await startSession(alice.token);
    expect(id.length).toBeGreaterThan(40);
    for (let at = 0; at < id.length; at += 7) {
      const forged = id.slice(0, at) + (id[at] === 'A' ? 'B' : 'A') + id.slice(at + 1);
      expect(statusOf(await stage.send(mcpRequest('ping', { token: alice.token, headers: { 'Mcp-Session-Id': forged } })))).toBe(404);
    }
  });

  test('A59: an id does not outlive its DELETE, its time, or the key it was sealed with', async () => {
    const { alice } = agents();
    const id = await startSession(alice.token);
    const headers = { 'Mcp-Session-Id': id };
    expect(statusOf(await stage.send({ line: 'DELETE /mcp HTTP/1.1', body: '', headers }))).toBe(200);
    expect(statusOf(await stage.send(mcpRequest('ping', { headers })))).toBe(404);

    let sealer = createSealer({ current: { id: 'one', key: Buffer.alloc(32, 1) } });
    const sessions = new AgentSessions(() => sealer, { has: () => false, add: () => undefined });
    const sealed = sessions.start(alice.id, '2025-06-18', { capabilities: {}, now: 0 });
    expect(sessions.open(sealed, alice.id, 1000).agentId).toBe(alice.id);
    expect(() => sessions.open(sealed, alice.id, 86_400_000)).toThrow('client.unknown_session');
    sealer = createSealer({ current: { id: 'two', key: Buffer.alloc(32, 2) } });
    sessions.forgetOpened();
    expect(() => sessions.open(sealed, alice.id, 1000)).toThrow('client.unknown_session');
  });

  test('A59: two sessions never have one id', async () => {
    const { alice } = agents();
    const ids = await Promise.all(Array.from({ length: 50 }, () => startSession(alice.token)));
    expect(new Set(ids).size).toBe(50);
  });

  test('A58: a modern request is not touched by a session or an event id it names', async () => {
    const { alice, bob } = agents();
    const id = await startSession(alice.token);
    const headers = { 'Mcp-Session-Id': id, 'Last-Event-ID': `${id}-1` };
    expect(bodyOf(await walk({ era: 'modern', token: bob.token, headers }))).toContain('"result"');
  });
});

describe('A62: cursors open for their agent, list and endpoint alone', () => {
  test('whatever is wrong with one, the answer is the same', async () => {
    const { alice, bob } = agents();
    const seal = (place: { method?: string; agentId?: string; slug?: string | null }): string =>
      sealCursor(stage.gateway.sealer(), ['a', 'a'], { method: 'tools/list', agentId: bob.id, slug: null, ...place });
    const ask = (cursor: unknown) => stage.send(mcpRequest('tools/list', { token: bob.token, params: { cursor } }));
    expect(bodyOf(await ask(seal({})))).toContain('m__walk');
    const good = seal({});
    const wrong = [seal({ agentId: alice.id }), seal({ method: 'prompts/list' }), seal({ slug: 'm' }), `${good}A`, good.slice(1), good.toUpperCase()];
    for (const cursor of [...wrong, '', 'x', 'x'.repeat(50_000), 5, null, {}, [good], true]) {
      const since = stage.mark();
      const answer = await ask(cursor);
      expect([statusOf(answer), bodyOf(answer)]).toEqual([200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params"}}']);
      await stage.unharmed(JSON.stringify(cursor), answer, since);
    }
  });
});

describe('A65: being told of changes', () => {
  const listen = (notifications: object) => mcpRequest('subscriptions/listen', { era: 'modern', params: { notifications } });

  test('costs an agent a place of its own number, and another agent nothing', async () => {
    const { alice, bob } = agents();
    const open: RawConnection[] = [];
    const start = async (token: string): Promise<RawConnection> => {
      const connection = await RawConnection.open(stage.port);
      open.push(connection);
      connection.socket.write(rawRequest({ token, ...listen({ toolsListChanged: true }) }));
      await connection.until(/acknowledged|"error"/);
      return connection;
    };
    for (let at = 0; at < STREAMS_PER_AGENT_MAX; at += 1) expect(statusOf((await start(alice.token)).received)).toBe(200);
    expect(statusOf((await start(alice.token)).received)).toBe(429);
    expect((await start(bob.token)).received).toContain('acknowledged');
    for (const { socket } of open) socket.destroy();
    await eventually(() => expect(stage.gateway.streams.size).toBe(0));
    const again = await start(alice.token);
    expect(again.received).toContain('acknowledged');
    again.socket.destroy();
  });

  test('of more resources than one may name is refused, and of those one may not read never acknowledged', async () => {
    const { bob } = agents();
    const since = stage.mark();
    const many = Array.from({ length: 2000 }, (_, at) => `x://${String(at)}`);
    const refused = await stage.send({ token: bob.token, ...listen({ resourceSubscriptions: many }) });
    expect(statusOf(refused)).toBe(429);
    await stage.unharmed(JSON.stringify(many), refused, since);
    const connection = await RawConnection.open(stage.port);
    connection.socket.write(rawRequest({ token: bob.token, ...listen({ resourceSubscriptions: ['x://a', 'x://none', 'file:///etc/passwd'] }) }));
    const acknowledged = await connection.until(/acknowledged[^\n]*\n/);
    expect(acknowledged).toContain('acknowledged');
    expect(acknowledged).not.toMatch(/x:|file:/);
    connection.socket.destroy();
  });
});
