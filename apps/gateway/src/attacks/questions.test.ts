import { createSealer } from '@portcullis/secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RequestStates } from '../questions/request-states.js';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { form } from '../testing/asking-servers.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { RawConnection } from '../testing/raw-connection.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';
import type { Scripted } from '../testing/scripted-server.js';

let stage: AttackStage;
const told: string[] = [];
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

/** A server that asks first, and whose own state nobody but it should read. */
function askFirst({ json, message }: Scripted): void {
  told.push(JSON.stringify(message));
  const isRetry = message.params?.['requestState'] !== undefined;
  const inputRequests = { who: { method: 'elicitation/create', params: form } };
  const question = { resultType: 'input_required', inputRequests, requestState: 'state of the server' };
  json({ jsonrpc: '2.0', id: message.id, result: isRetry ? { resultType: 'complete', content: [] } : question });
}
beforeEach(() => {
  stage.upstream.answer = askFirst;
  told.length = 0;
});

interface Turn {
  readonly token?: string;
  readonly name?: string;
  readonly args?: object;
  readonly state?: unknown;
  readonly responses?: unknown;
  readonly elicitation?: object;
}

const answer = { who: { action: 'accept', content: { name: 'Ada' } } };

function call({ token, name = 'm__walk', args = {}, state, responses, elicitation = { form: {} } }: Turn = {}): Promise<string> {
  const declared = { 'io.modelcontextprotocol/clientCapabilities': { elicitation } };
  const params = { name, arguments: args, _meta: declared, requestState: state, inputResponses: responses };
  return stage.send(mcpRequest('tools/call', { era: 'modern', params, ...(token !== undefined && { token }) }));
}

async function asked(turn: Turn = {}): Promise<string> {
  const { result } = JSON.parse(bodyOf(await call(turn))) as { result: { resultType: string; requestState: string } };
  return result.resultType === 'input_required' ? result.requestState : '';
}

describe('A63: the state of a question', () => {
  test('goes back to its server once, in its own call, and is read by nobody on the way', async () => {
    const state = await asked();
    expect(Buffer.from(state, 'base64url').toString('latin1') + state).not.toContain('state of the server');
    expect(bodyOf(await call({ state, responses: answer }))).toContain('"complete"');
    expect(JSON.parse(told[1] ?? '')).toMatchObject({ params: { requestState: 'state of the server', inputResponses: answer } });
    const since = stage.mark();
    for (let again = 0; again < 2; again += 1) {
      const replayed = await call({ state, responses: answer });
      expect(bodyOf(replayed)).toBe('{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid or expired request state"}}');
      await stage.unharmed(state, replayed, since);
    }
  });

  test.each<[string, (state: string) => Turn]>([
    ['changed in one character', (state) => ({ state: state.slice(0, 30) + (state[30] === 'A' ? 'B' : 'A') + state.slice(31) })],
    ['cut', (state) => ({ state: state.slice(0, -4) })],
    ['made up', () => ({ state: 'state of the server' })],
    ['empty', () => ({ state: '' })],
    ['of 20 KiB', () => ({ state: 'A'.repeat(20_480) })],
    ['used by another agent', (state) => ({ state, token: stage.policy.agents[1].token })],
    ['used for another tool', (state) => ({ state, name: 'm__run' })],
    ['used at another server', (state) => ({ state, name: 'l__run' })],
    ['used with other arguments', (state) => ({ state, args: { x: 1 } })],
    ['used to answer what was never asked', (state) => ({ state, responses: { who: answer.who, else: answer.who } })],
    ['used to answer a prototype', (state) => ({ state, responses: { constructor: answer.who } })],
    ['used with answers that are a list', (state) => ({ state, responses: [answer.who] })],
    ['no text', () => ({ state: 7 })],
  ])('that is %s opens nothing', async (_what, turn) => {
    const state = await asked();
    const since = stage.mark();
    const refused = await call({ responses: answer, ...turn(state) });
    expect(statusOf(refused)).toBe(200);
    expect(JSON.parse(bodyOf(refused))).toMatchObject({ error: { code: -32_602 } });
    await stage.unharmed(state, refused, since);
  });

  test('does not outlive its time', async () => {
    let now = 0;
    const sealer = createSealer({ current: { id: 'one', key: Buffer.alloc(32, 1) } });
    const store = { get: async () => null, setIfAbsent: async () => true, set: async () => undefined, delete: async () => undefined };
    const states = new RequestStates({ sealer: () => sealer, store: store as never, now: () => now });
    const place = { agentId: 'a', serverId: 's', method: 'tools/call', name: 'x', argumentsJson: undefined };
    const [one, other] = [states.seal({ kind: 'again', keys: [] }, place), states.seal({ kind: 'again', keys: [] }, place)];
    expect(await states.open(one, place)).toEqual({ kind: 'again', keys: [] });
    now = 11 * 60_000;
    expect(await states.open(other, place)).toBeUndefined();
  });

  test('that a legacy client makes up is not passed on', async () => {
    const params = { name: 'm__walk', requestState: 'made up', inputResponses: answer };
    await stage.send(mcpRequest('tools/call', { params }));
    expect(told.join()).not.toContain('made up');
  });
});

describe('A86, A87: what a server asks', () => {
  const ask = (request: object, elicitation?: object) => {
    stage.upstream.answer = ({ json, message }) =>
      json({ jsonrpc: '2.0', id: message.id, result: { resultType: 'input_required', inputRequests: { who: request }, requestState: 's' } });
    return call(elicitation === undefined ? {} : { elicitation });
  };
  const url = (address: string) => ({ method: 'elicitation/create', params: { mode: 'url', message: 'Sign in', url: address, elicitationId: 'e' } });

  test.each([
    ['sampling that was not declared', { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }],
    ['roots that were not declared', { method: 'roots/list' }],
    ['a visit, where visits were not declared', url('https://server.example/sign-in')],
    ['a method nobody knows', { method: 'tools/call', params: { name: 'm__run' } }],
    ['nothing', {}],
  ])('%s, does not reach a client that cannot answer it', async (_what, request) => {
    const refused = await ask(request);
    expect(bodyOf(refused)).toContain('"error"');
    expect(bodyOf(refused)).not.toMatch(/alert|user:secret|http:|Sign in/);
    expect(statusOf(await stage.send({}))).toBe(200);
  });

  test.each([
    'http://server.example/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://user:secret@server.example/',
    'data:text/html,x',
    '//server.example',
    '',
  ])('a visit to %s is asked of nobody, even where visits were declared', async (address) => {
    const refused = await ask(url(address), { form: {}, url: {} });
    expect(bodyOf(refused)).toContain('"error"');
    expect(bodyOf(refused)).not.toContain('Sign in');
  });

  const said = async (request: object): Promise<string> => {
    const asked = JSON.parse(bodyOf(await ask(request, { form: {}, url: {} }))) as {
      result: { inputRequests: { who: { params: { message: string } } } };
    };
    return asked.result.inputRequests.who.params.message;
  };

  test('a form that asks for a secret says so to whoever reads it', async () => {
    const secret = { message: 'Hello', requestedSchema: { type: 'object', properties: { apiKey: { type: 'string' } } } };
    expect(await said({ method: 'elicitation/create', params: secret })).toMatch(
      /^\[This form seems to ask for a password, key or other secret\..*\] Hello$/,
    );
    expect(await said({ method: 'elicitation/create', params: form })).toBe(form.message);
  });

  test('a visit to an address that is not spelled as it looks says so, and which server sends there', async () => {
    expect(await said(url('https://\u0430pple.example/'))).toMatch(/^\[The name of the site has letters.*\] m: Sign in$/);
    expect(await said(url('https://apple.example/'))).toBe('m: Sign in');
  });
});

describe('A27, A87: a legacy server’s question', () => {
  test('is answered by the session that was asked, and by nobody else', async () => {
    let answered: unknown;
    let stream: Scripted['response'] | undefined;
    let callId: string | undefined;
    stage.upstream.answer = (exchange) => {
      const { message, response } = exchange;
      if (message.method === 'tools/call') {
        callId = message.id;
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 'of-the-server', method: 'elicitation/create', params: form })}\n\n`);
      } else if (message.id === 'of-the-server') {
        answered = message;
        response.writeHead(202).end();
        stream?.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: callId, result: { content: [] } })}\n\n`);
      } else obey(exchange);
    };
    const [alice, bob] = stage.policy.agents;
    const [mine, other, foreign] = await Promise.all([startSession(alice.token), startSession(alice.token), startSession(bob.token)]);
    const connection = await RawConnection.open(stage.port);
    const call = mcpRequest('tools/call', { params: { name: 'l__run' }, headers: { 'Mcp-Session-Id': mine, Connection: 'close' } });
    connection.socket.write(rawRequest({ token: alice.token, ...call }));
    const [, id] =
      /"id":("[^"]+"|\d+),"method":"elicitation|elicitation\/create[^\n]*"id":("[^"]+"|\d+)/.exec(
        await connection.until(/elicitation\/create[^\n]*\n/),
      ) ?? [];
    expect(id).not.toContain('of-the-server');
    const body = `{"jsonrpc":"2.0","id":${String(id)},"result":{"action":"accept","content":{"name":"Mallory"}}}`;
    const wrong = [
      { token: bob.token, session: foreign },
      { token: bob.token, session: mine },
      { token: bob.token, session: undefined },
      { token: alice.token, session: other },
      { token: alice.token, session: undefined },
    ];
    for (const { token, session } of wrong) {
      const refused = await stage.send({ token, body, headers: { 'Mcp-Session-Id': session } });
      expect([400, 404]).toContain(statusOf(refused));
    }
    expect(answered).toBeUndefined();
    const taken = await stage.send({ token: alice.token, body: body.replace('Mallory', 'Ada'), headers: { 'Mcp-Session-Id': mine } });
    expect(statusOf(taken)).toBe(202);
    expect(await connection.until('closed')).toContain('"result"');
    expect(answered).toMatchObject({ id: 'of-the-server', result: { content: { name: 'Ada' } } });
    const late = await stage.send({ token: alice.token, body, headers: { 'Mcp-Session-Id': mine } });
    expect(statusOf(late)).toBe(400);
  });

  async function startSession(token: string): Promise<string> {
    const params = { protocolVersion: '2025-06-18', capabilities: { elicitation: {} }, clientInfo: { name: 't', version: '1' } };
    return /mcp-session-id: ([^\r]+)/i.exec(await stage.send(mcpRequest('initialize', { token, params })))?.[1] ?? '';
  }
});
