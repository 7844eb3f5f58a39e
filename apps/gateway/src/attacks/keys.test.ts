import { newBearer } from '@portcullis/secrets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';
import type { RawRequest } from '../testing/raw-request.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

const authorization = (value: string): RawRequest => ({ headers: { Authorization: value } });
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: object, claims: object = {}): string =>
  `Bearer ${base64({ typ: 'JWT', ...header })}.${base64({ sub: 'alice', ...claims })}.c2ln`;
/** Whether the connection lives on depends on whether its body was there already, not on the key. */
const ofTheAnswer = (answer: string): string => answer.replaceAll(/(?:Date|Connection|Keep-Alive): [^\r]*\r\n/gi, '');

describe('whatever is wrong with a key, the answer is the same bytes', () => {
  let refusal: string;
  beforeAll(async () => {
    refusal = await stage.send({ token: undefined });
  });

  test('A28: no header', () => {
    expect(statusOf(refusal)).toBe(401);
    expect(refusal).toMatch(/www-authenticate: Bearer/i);
  });

  const { token: unknown } = newBearer('agent');
  test.each<[string, RawRequest]>([
    ['A28: an empty header', authorization('')],
    ['A28: the scheme alone', authorization('Bearer')],
    ['A28: the scheme and a space', authorization('Bearer ')],
    ['A28: Basic', authorization(`Basic ${Buffer.from('a:b').toString('base64')}`)],
    ['A28: 8 KiB', authorization(`Bearer ${'x'.repeat(8192)}`)],
    ['A28: beyond ASCII', authorization('Bearer pcls_agent_\u00e9\u00ff')],
    ['A29: unknown', authorization(`Bearer ${unknown}`)],
    ['A32: alg none', authorization(jwt({ alg: 'none' }))],
    ['A32: HS256 with a public key', authorization(jwt({ alg: 'HS256', kid: '../../key' }))],
    ['A32: kid of SQL', authorization(jwt({ alg: 'RS256', kid: "' OR 1=1 --" }))],
    ['A32: jku', authorization(jwt({ alg: 'RS256', jku: 'http://127.0.0.1:9/jwks' }))],
    ['A32: an embedded jwk', authorization(jwt({ alg: 'RS256', jwk: { kty: 'RSA' } }))],
    ['A32: an unknown crit', authorization(jwt({ alg: 'RS256', crit: ['x'], b64: false }))],
    ['A33: another audience', authorization(jwt({ alg: 'RS256' }, { aud: 'https://gw.evil', exp: 9_999_999_999 }))],
    ['A39: an operator’s', authorization(`Bearer ${newBearer('operator').token}`)],
    ['A39: a node’s', authorization(`Bearer ${newBearer('node').token}`)],
    ['A39: a join token', authorization(`Bearer ${newBearer('join').token}`)],
    ['A13 before A28: a stranger’s body type is not judged', { headers: { Authorization: undefined, 'Content-Type': 'text/plain' } }],
    ['A24 before A28: a stranger’s length is not judged', { headers: { Authorization: undefined, 'Content-Length': '99999999' }, body: '' }],
    ['A41: at a server’s own endpoint', { line: 'POST /servers/m/mcp HTTP/1.1', headers: { Authorization: undefined } }],
    ['A41: at the endpoint of no server', { line: 'POST /servers/nowhere/mcp HTTP/1.1', headers: { Authorization: undefined } }],
    ['A57: with DELETE', { line: 'DELETE /mcp HTTP/1.1', headers: { Authorization: undefined } }],
  ])('%s', async (_what, request) => {
    const since = stage.mark();
    const answer = await stage.send(request);
    expect(ofTheAnswer(answer)).toBe(ofTheAnswer(refusal));
    await stage.unharmed(JSON.stringify(request), answer, since);
  });

  test.each<[string, (token: string) => RawRequest]>([
    ['A28: two spaces', (token) => authorization(`Bearer  ${token}`)],
    ['A28: a comma behind', (token) => authorization(`Bearer ${token},`)],
    ['A28: a tab for the space', (token) => authorization(`Bearer\t${token}`)],
    ['A30: the first character of the secret off', (token) => authorization(`Bearer ${flipped(token, token.length - 43)}`)],
    ['A30: the last character but one off', (token) => authorization(`Bearer ${flipped(token, token.length - 2)}`)],
    ['A30: in capitals', (token) => authorization(`Bearer ${token.toUpperCase()}`)],
    ['A31: in ?api_key', (token) => ({ line: `POST /mcp?api_key=${token} HTTP/1.1`, token: undefined })],
    ['A31: in ?access_token', (token) => ({ line: `POST /mcp?access_token=${token} HTTP/1.1`, token: undefined })],
    ['A31: in a cookie', (token) => ({ token: undefined, headers: { Authorization: undefined, Cookie: `access_token=${token}` } })],
    ['A31: in the body', (token) => ({ token: undefined, headers: { Authorization: undefined }, body: JSON.stringify({ access_token: token }) })],
    ['A31: in X-Api-Key', (token) => ({ token: undefined, headers: { Authorization: undefined, 'X-Api-Key': token } })],
  ])('%s', async (_what, build) => {
    const since = stage.mark();
    const [alice] = stage.policy.agents;
    const answer = await stage.send({ headers: { Authorization: undefined }, ...build(alice.token) });
    expect([statusOf(answer), bodyOf(answer)]).toEqual([401, bodyOf(refusal)]);
    expect(answer).not.toContain(alice.token.slice(-20));
    await stage.unharmed('', answer, since);
  });

  test('A31: in the path opens nothing, and is not said back', async () => {
    const since = stage.mark();
    const [alice] = stage.policy.agents;
    const answer = await stage.send({ line: `POST /mcp/${alice.token} HTTP/1.1`, headers: { Authorization: undefined } });
    expect(statusOf(answer)).toBe(404);
    expect(answer).not.toContain(alice.token.slice(-20));
    await stage.unharmed('', answer, since);
  });
});

function flipped(token: string, at: number): string {
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

describe('A37: who calls is what the key says', () => {
  test('whatever headers and clientInfo claim', async () => {
    const [alice, bob] = stage.policy.agents;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'alice', version: '1' },
    };
    const rows = stage.events.length;
    const answer = await stage.send({
      token: bob.token,
      headers: { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'm__run' },
      extra: [`X-Agent-Id: ${alice.id}`, 'X-Agent: alice'],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'm__run', _meta } }),
    });
    expect(bodyOf(answer)).toContain('Unknown tool: m__run');
    expect(stage.events.slice(rows)).toMatchObject([{ agent: 'bob', agentId: bob.id, claimedAgent: 'alice', status: 'denied' }]);
  });

  test.each([
    ['another agent', 'alice', 'alice'],
    ['nobody that there is', 'claude-code', null],
    ['itself', 'bob', null],
    ['a member of every object', 'constructor', null],
  ])('a handshake as %s is marked on record where that is a lie', async (_what, name, claimed) => {
    const [, bob] = stage.policy.agents;
    const rows = stage.events.length;
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name, version: '1' } };
    expect(statusOf(await stage.send(mcpRequest('initialize', { token: bob.token, params })))).toBe(200);
    const marked = stage.events.slice(rows).filter(({ claimedAgent }) => claimedAgent !== null);
    expect(marked).toMatchObject(claimed === null ? [] : [{ method: 'initialize', agent: 'bob', claimedAgent: claimed }]);
  });
});

describe('A36: a flood of wrong keys', () => {
  test('is told to come back later, while a right key from the same place is served', async () => {
    const since = stage.mark();
    const statuses: number[] = [];
    for (let round = 0; round < 11; round += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => stage.send(authorization('Bearer wrong'))));
      statuses.push(...answers.map(statusOf));
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    const answer = await stage.send(authorization('Bearer wrong'));
    expect(statusOf(answer)).toBe(429);
    expect(answer).toMatch(/retry-after: \d/i);
    await stage.unharmed('', answer, since);
  });
});
