import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aSnapshot } from '../testing/build-gateway.js';
import { startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { bodyOf } from '../testing/raw-exchange.js';
import type { Scripted } from '../testing/scripted-server.js';

let stage: AttackStage;
let calls: string[] = [];

beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.live.snapshot = aSnapshot(stage.policy);
  calls = [];
});

/** A legacy server with sessions that answers the first call with this, and every other with a result. */
const firstAnswers =
  (status: number, body: unknown) =>
  ({ json, message, request, response }: Scripted): void => {
    const { id, method } = message;
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'initialize') {
      response.setHeader('mcp-session-id', `s${String(stage.upstream.methods.length)}`);
      return json({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
    }
    calls.push(String(request.headers['mcp-session-id']));
    if (calls.length > 1) json({ jsonrpc: '2.0', id, result: { content: [] } });
    else json(typeof body === 'string' ? body.replace('ID', id) : body, status);
  };

const call = async (status: number, body: unknown): Promise<string> => {
  stage.upstream.answer = firstAnswers(status, body);
  return bodyOf(await stage.send(mcpRequest('tools/call', { params: { name: 'l__run' } })));
};

const refusal = (code: number, message: string, id: unknown = null) => ({ jsonrpc: '2.0', error: { code, message }, id });

describe('a server that does not know the session', () => {
  test.each<[string, number, unknown]>([
    ['by the specification', 404, ''],
    ['as the SDK does', 404, refusal(-32001, 'Session not found')],
    ['as servers that keep a map of sessions do', 400, refusal(-32000, 'Bad Request: No valid session ID provided')],
    ['as the SDK does that was asked without', 400, refusal(-32000, 'Bad Request: Mcp-Session-Id header is required')],
    ['as the SDK does before its handshake', 400, refusal(-32000, 'Bad Request: Server not initialized')],
    ['as the Python SDK does', 400, refusal(-32600, 'Bad Request: Missing session ID', 'server-error')],
  ])('and says so %s ran nothing: the call is sent again in a new session', async (_how, status, body) => {
    expect(await call(status, body)).toContain('"content":[]');
    expect(calls).toHaveLength(2);
    expect(new Set(calls).size).toBe(2);
  });
});

describe('a call that may have run is not sent again', () => {
  test.each<[string, unknown]>([
    ['an error of its own with the code of the SDK', refusal(-32000, 'Out of stock')],
    ['a known text deeper in the error', { ...refusal(-32000, 'Failed'), data: { code: -32000, message: 'Session not found' } }],
    ['a known text in the data', { jsonrpc: '2.0', error: { code: -32603, message: 'x', data: { code: -32000, message: 'Session not found' } } }],
    ['a known text with more behind it', refusal(-32000, 'Session not found in the database: order 7 was placed')],
    ['a result', '{"jsonrpc":"2.0","id":"ID","result":{"error":{"code":-32000,"message":"Session not found"}}}'],
    ['no JSON', '"code":-32000'],
  ])('where the server answers 400 with %s', async (_what, body) => {
    await call(400, body);
    expect(calls).toHaveLength(1);
  });
});
