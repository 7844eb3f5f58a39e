import { createHmac } from 'node:crypto';
import { createLogger } from '@portcullis/boot';
import { TokenIssuer } from '@portcullis/contracts/token-issuers';
import { PUBLIC_URL, startTokenIssuer, type TestIssuer } from '@portcullis/testing';
import { exportSPKI, importJWK, type CryptoKey, type JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FailedAuthentication } from '../caller/failed-authentication.js';
import { openAccessTokens } from '../caller/open-access-tokens.js';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';

const server = aServer('github', [aTool('read')]);
const { gateway, events, live } = buildGateway(undefined);
const reasons: string[] = [];
const failedAuthentication = new FailedAuthentication(
  () => undefined,
  (reason) => reasons.push(reason),
);
const closers: (() => unknown)[] = [];
let issuer: TestIssuer;
let second: TestIssuer;
let node: GatewayServer;

const alice = anAgent('alice');
const bob = anAgent('bob', { enabled: false });

const trusted = ({ url }: TestIssuer, rest: object = {}): TokenIssuer => TokenIssuer.parse({ issuer: url, ...rest });

/** Alice is `alice-client` of the first issuer and somebody else's `alice-client` is nobody; Bob is switched off. */
function trust(rest: object = {}, also: object = {}): void {
  const identities = [
    { issuer: issuer.url, subject: 'alice-client' },
    { issuer: second.url, subject: 'alice-at-second' },
  ];
  const agents = [
    { ...alice, identities },
    { ...bob, identities: [{ issuer: issuer.url, subject: 'bob-client' }] },
  ];
  const settings = { publicUrl: PUBLIC_URL, tokenIssuers: [trusted(issuer, rest), trusted(second)], ...also };
  live.snapshot = aSnapshot({ servers: [server], agents, grants: [aGrant(alice, server)], settings });
}

/** A node that knows no keys yet. */
async function startNode(): Promise<GatewayServer> {
  const policy = { current: () => live.snapshot };
  const accessTokens = openAccessTokens(
    { portcullisEgressAllow: ['127.0.0.0/8'] },
    { policy, logger: createLogger({ name: 'test', level: 'silent' }), onClose: (_name, closer) => closers.push(() => closer({})) },
  );
  const started = await startServer({ ...gateway, accessTokens, failedAuthentication }, { host: '127.0.0.1', port: 0 });
  closers.push(() => started.close(0));
  return started;
}

beforeAll(async () => {
  [issuer, second] = await Promise.all([startTokenIssuer(), startTokenIssuer()]);
  trust();
  node = await startNode();
});
afterEach(() => {
  issuer.answer = undefined;
  trust();
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await Promise.all([issuer.close(), second.close()]);
});

async function post(token: string, path: string, body: object, { at = node, headers = {} } = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${String(at.port)}${path}`, {
    method: 'POST',
    headers: { ...mcpHeaders(token), ...headers },
    body: JSON.stringify(body),
  });
}

async function ping(token: string, { path = '/mcp', at = node, method = 'ping', headers = {} } = {}) {
  const response = await post(token, path, { jsonrpc: '2.0', id: 1, method }, { at, headers });
  return { status: response.status, challenge: response.headers.get('www-authenticate'), text: await response.text() };
}

const describedAt = (path: string): string => `resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource${path}"`;
const refusal = {
  status: 401,
  challenge: `Bearer error="invalid_token", ${describedAt('/mcp')}`,
  text: '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Unauthorized"}}',
};
const seconds = (ahead: number): number => Math.floor(Date.now() / 1000) + ahead;
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an access token of a trusted issuer', () => {
  test('opens the door for the agent that the issuer calls so, and the trail says for whom', async () => {
    expect(await ping(await issuer.sign(), { method: 'tools/list' })).toMatchObject({
      status: 200,
      text: expect.stringContaining('github__read') as unknown,
    });
    expect(events.at(-1)).toMatchObject({ agent: 'alice', keyId: `${issuer.url}#alice-client`, onBehalfOf: 'user-17' });
    await ping(await issuer.sign({ sub: 'alice-client' }), { method: 'tools/list' });
    expect(events.at(-1)).toMatchObject({ agent: 'alice', onBehalfOf: null });
    expect(await ping(await second.sign({ client_id: 'alice-at-second' }))).toMatchObject({ status: 200 });
  });

  test.each<[string, JWTPayload]>([
    ['the whole gateway', { aud: PUBLIC_URL }],
    ['the whole gateway, with the slash that URL parsers add', { aud: `${PUBLIC_URL}/` }],
    ['this endpoint', { aud: `${PUBLIC_URL}/mcp` }],
    ['A33: an array with us in it', { aud: ['https://other.test', `${PUBLIC_URL}/mcp`] }],
  ])('for %s is taken', async (_what, claims) => {
    expect(await ping(await issuer.sign(claims))).toMatchObject({ status: 200 });
  });

  test('for one server opens that one alone', async () => {
    const token = await issuer.sign({ aud: `${PUBLIC_URL}/servers/github/mcp` });
    expect(await ping(token, { path: '/servers/github/mcp' })).toMatchObject({ status: 200 });
    expect(await ping(token)).toEqual(refusal);
  });

  test('of an issuer that is trusted no more: what it opened ends too, streams and keys for tasks alike', async () => {
    const token = await issuer.sign();
    const made = await post(token, '/task-keys', { task: 't', servers: ['github'], ttlSeconds: 60 });
    const { key } = (await made.json()) as { key: string };
    expect(await ping(key)).toMatchObject({ status: 200 });
    const stream = await fetch(`http://127.0.0.1:${String(node.port)}/mcp`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(200);
    trust({}, { tokenIssuers: [trusted(second)] });
    expect(await ping(key)).toMatchObject({ status: 401 });
    expect(await stream.text()).not.toContain('jsonrpc');
  });

  test('of an agent that is switched off, called otherwise or no longer called so, is refused from the next request on', async () => {
    const token = await issuer.sign();
    expect(await ping(token)).toMatchObject({ status: 200 });
    const { agents = new Map() } = live.snapshot ?? {};
    live.snapshot = aSnapshot({ agents: [...agents.values()].map((agent) => ({ ...agent, enabled: false })), settings: live.snapshot?.settings });
    expect(await ping(token)).toEqual(refusal);
    live.snapshot = aSnapshot({ agents: [alice], settings: live.snapshot.settings });
    expect(await ping(token)).toEqual(refusal);
    trust({}, { tokenIssuers: [trusted(second)] });
    expect(await ping(token)).toEqual(refusal);
  });
});

describe('whom an agent speaks for', () => {
  test('has sessions of their own, which the agent’s other subjects, its keys and the agent itself do not open', async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const began = await post(await issuer.sign(), '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    const headers = { 'mcp-session-id': began.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '2025-11-25' };
    expect([began.status, (await ping(await issuer.sign({ jti: 'another' }), { headers })).status]).toEqual([200, 200]);
    for (const other of [await issuer.sign({ sub: 'user-18' }), await issuer.sign({ sub: 'alice-client' }), alice.token])
      expect(await ping(other, { headers })).toMatchObject({ status: 404 });
  });

  test('stays on record where the agent works with the key of a task, which ends no later than the token', async () => {
    const token = await issuer.sign({ exp: seconds(100) });
    const made = await post(token, '/task-keys', { task: 't', servers: ['github'], ttlSeconds: 3600 });
    const { key, expiresAt } = (await made.json()) as { key: string; expiresAt: string };
    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.now() + 100_000);
    expect(await ping(key, { method: 'tools/list' })).toMatchObject({ status: 200 });
    expect(events.at(-1)).toMatchObject({ task: 't', onBehalfOf: 'user-17' });
  });
});

describe('whatever is wrong with an access token, the answer is the same bytes', () => {
  const hmac = async (): Promise<string> => {
    const signed = `${base64({ alg: 'HS256', typ: 'JWT', kid: issuer.publicKey().kid })}.${base64({ iss: issuer.url, aud: PUBLIC_URL, client_id: 'alice-client', exp: seconds(60) })}`;
    const key = await exportSPKI((await importJWK({ ...issuer.publicKey(), ext: true }, 'ES256', { extractable: true })) as CryptoKey);
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  };
  const unsigned = (): string =>
    `${base64({ alg: 'none' })}.${base64({ iss: issuer.url, aud: PUBLIC_URL, client_id: 'alice-client', exp: seconds(60) })}.`;

  test.each<[string, string, () => string | Promise<string>]>([
    ['A29: expired', 'expired', () => issuer.sign({ exp: seconds(-60) })],
    ['A29: not yet valid', 'not_yet_valid', () => issuer.sign({ nbf: seconds(120) })],
    ['A29: of a disabled agent', 'agent_disabled', () => issuer.sign({ client_id: 'bob-client' })],
    ['A29: of nobody here', 'unknown_identity', () => issuer.sign({ client_id: 'carol-client' })],
    ['A29: of an agent as another issuer calls it', 'unknown_identity', () => second.sign({ client_id: 'alice-client' })],
    [
      'A30: one character of the signature off',
      'bad_signature',
      async () => (await issuer.sign()).replace(/.(?=.{5}$)/, (one) => (one === 'A' ? 'B' : 'A')),
    ],
    ['A32: alg none', 'bad_signature', unsigned],
    ['A32: HS256 with the public key', 'bad_signature', hmac],
    ['A32: a kid that is a path', 'bad_signature', () => issuer.sign({}, { kid: '../../etc/passwd' })],
    ['A32: a kid that is SQL', 'bad_signature', () => issuer.sign({}, { kid: "' OR 1=1 --" })],
    ['A32: a kid without end', 'forbidden_header', () => issuer.sign({}, { kid: 'k'.repeat(2000) })],
    ['A32: an embedded key', 'forbidden_header', () => issuer.sign({}, { jwk: issuer.publicKey() })],
    ['A32: keys elsewhere', 'forbidden_header', () => issuer.sign({}, { jku: `${second.url}/jwks` })],
    ['A32: a certificate elsewhere', 'forbidden_header', () => issuer.sign({}, { x5u: `${second.url}/jwks` })],
    ['A32: a crit nobody knows', 'forbidden_header', () => issuer.sign({}, { crit: ['b64'], b64: true })],
    ['A32: of another type', 'forbidden_header', () => issuer.sign({}, { typ: 'logout+jwt' })],
    ['A32: signed by another trusted issuer', 'bad_signature', () => second.sign({ iss: issuer.url })],
    ['A33: for another service', 'other_audience', () => issuer.sign({ aud: 'https://other.test' })],
    ['A33: for an address that begins like ours', 'other_audience', () => issuer.sign({ aud: `${PUBLIC_URL}.evil` })],
    ['A33: for nobody', 'malformed_token', () => issuer.sign({ aud: undefined })],
    ['A33: an issuer with another slash', 'unknown_issuer', () => issuer.sign({ iss: `${issuer.url}/` })],
    ['A33: without issuer', 'unknown_issuer', () => issuer.sign({ iss: undefined })],
    ['A33: made in the future', 'not_yet_valid', () => issuer.sign({ iat: seconds(300) })],
    ['A33: good for ten years', 'lives_too_long', () => issuer.sign({ exp: seconds(315_360_000) })],
    ['A33: without an end', 'malformed_token', () => issuer.sign({ exp: undefined })],
    ['A35: bound to a key that the caller would have to prove', 'bound_to_sender', () => issuer.sign({ cnf: { jkt: 'x' } })],
    ['A39: of an operator, by the same issuer', 'other_audience', () => issuer.sign({ aud: 'https://control.test', groups: ['portcullis-admins'] })],
    ['no agent in it', 'malformed_token', () => issuer.sign({ client_id: undefined })],
    ['an agent that is no text', 'malformed_token', () => issuer.sign({ client_id: { $ne: '' } })],
    ['no JSON', 'malformed_token', () => 'eyJhbGciOiJSUzI1NiJ9.eyJ.e30'],
    ['two parts', 'malformed_token', () => 'eyJhbGciOiJSUzI1NiJ9.e30'],
  ])('%s', async (_what, reason, token) => {
    const calls = events.length;
    expect(await ping(await token())).toEqual(refusal);
    expect(reasons.at(-1)).toBe(reason);
    expect(events).toHaveLength(calls);
  });

  test('A31: one in the query is none, also where tokens are taken', async () => {
    expect(await ping('', { path: `/mcp?access_token=${await issuer.sign()}` })).toMatchObject({ status: 401 });
  });

  test('without a trusted issuer no token is taken, and nobody is told of any', async () => {
    const token = await issuer.sign();
    live.snapshot = aSnapshot({ agents: [alice] });
    expect(await ping(token)).toMatchObject({ status: 401, challenge: 'Bearer' });
  });
});

describe('what a token lacks can be asked for', () => {
  test('a scope: all that are needed are named at once, and only to whom the token is of', async () => {
    trust({ requiredScopes: ['mcp:read', 'mcp:call'] });
    expect(await ping(await issuer.sign({ scope: 'mcp:read' }))).toMatchObject({
      status: 403,
      challenge: `Bearer error="insufficient_scope", ${describedAt('/mcp')}, scope="mcp:read mcp:call"`,
    });
    expect(await ping(await issuer.sign({ client_id: 'carol-client' }))).toMatchObject({ status: 401 });
    expect(await ping(await issuer.sign({ scope: 'mcp:call other mcp:read' }))).toMatchObject({ status: 200 });
    expect(await ping(await issuer.sign({ scp: ['mcp:call', 'mcp:read'] }))).toMatchObject({ status: 200 });
  });

  test.each(['', '/mcp', '/servers/github/mcp', '/servers/nowhere/mcp'])(
    'A38: metadata at the well-known path of %j says what it is for',
    async (endpoint) => {
      trust({ requiredScopes: ['mcp'] });
      const answer = await fetch(`http://127.0.0.1:${String(node.port)}/.well-known/oauth-protected-resource${endpoint}`);
      expect([answer.status, await answer.json()]).toEqual([
        200,
        {
          resource: `${PUBLIC_URL}${endpoint}`,
          authorization_servers: [issuer.url, second.url],
          scopes_supported: ['mcp'],
          bearer_methods_supported: ['header'],
          resource_name: 'Portcullis',
        },
      ]);
    },
  );

  test('A38: nothing else is there, and nothing where no issuer is trusted', async () => {
    const get = async (path: string, method = 'GET') => (await fetch(`http://127.0.0.1:${String(node.port)}${path}`, { method })).status;
    for (const path of [
      '/.well-known/oauth-protected-resourcex',
      '/.well-known/oauth-protected-resource/mcp/..%2f',
      '/.well-known/oauth-authorization-server',
      '/register',
    ])
      expect(await get(path), path).toBe(404);
    const posted = await fetch(`http://127.0.0.1:${String(node.port)}/.well-known/oauth-protected-resource`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
    live.snapshot = aSnapshot({ agents: [alice] });
    expect(await get('/.well-known/oauth-protected-resource')).toBe(404);
  });
});

describe('A34: the keys of an issuer', () => {
  test('that turn up with a new key are asked for once, however many tokens come; a key nobody has is not asked for again and again', async () => {
    const fresh = await startNode();
    const before = issuer.asked();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => issuer.sign({ sub: `user-${String(at)}` })));
    expect((await Promise.all(tokens.map((token) => ping(token, { at: fresh })))).map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, () => 200),
    );
    expect(issuer.asked() - before).toBe(1);
    for (const kid of ['a', 'b', 'c']) expect(await ping(await issuer.sign({}, { kid }), { at: fresh })).toEqual(refusal);
    expect(issuer.asked() - before).toBe(1);
  });

  test.each<[string, TestIssuer['answer']]>([
    ['are an error', (response) => response.writeHead(500).end()],
    ['are somewhere else', (response) => response.writeHead(302, { location: '/jwks' }).end()],
    ['do not end', (response) => void response.writeHead(200).write(`{"keys":[${'"x",'.repeat(100_000)}`)],
    ['are too many', (response) => response.end(JSON.stringify({ keys: Array.from({ length: 65 }, () => ({})) }))],
    ['are no JSON', (response) => response.end('<html>')],
    ['are broken off', (response) => response.destroy()],
  ])('that %s: whoever comes is told to come back, keys of ours and other issuers go on', async (_what, answer) => {
    const fresh = await startNode();
    issuer.answer = answer;
    const refused = await ping(await issuer.sign(), { at: fresh });
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('issuer_unavailable')]);
    expect(await ping(alice.token, { at: fresh })).toMatchObject({ status: 200 });
    expect(await ping(await second.sign({ client_id: 'alice-at-second' }), { at: fresh })).toMatchObject({ status: 200 });
  });

  test('that lie elsewhere now, and are not to be had there: a token that was good is not called bad for it', async () => {
    const fresh = await startNode();
    const token = await issuer.sign();
    expect(await ping(token, { at: fresh })).toMatchObject({ status: 200 });
    issuer.answer = (response) => response.destroy();
    trust({ jwksUri: `${issuer.url}/moved` });
    expect(await ping(token, { at: fresh })).toMatchObject({ status: 503 });
  });

  test('that come while the settings change: the token is judged by those of now, not refused for those of before', async () => {
    const fresh = await startNode();
    issuer.answer = (response) => {
      trust();
      response.end(JSON.stringify({ keys: [issuer.publicKey()] }));
    };
    expect(await ping(await issuer.sign(), { at: fresh })).toMatchObject({ status: 200 });
  });

  test('that were known go on while their issuer is down, for tokens that were never seen too', async () => {
    const fresh = await startNode();
    expect(await ping(await issuer.sign(), { at: fresh })).toMatchObject({ status: 200 });
    issuer.answer = (response) => response.destroy();
    expect(await ping(await issuer.sign({ sub: 'another' }), { at: fresh })).toMatchObject({ status: 200 });
  });
});

describe('one flood of bad tokens', () => {
  test('A36: costs no more than a look once its source keeps failing, and a token that is known goes on', async () => {
    const known = await issuer.sign();
    expect(await ping(known)).toMatchObject({ status: 200 });
    const unseen = await issuer.sign({ sub: 'unseen' });
    for (let times = 0; times <= 1000; times += 1) failedAuthentication.note(new Error('wrong'), '127.0.0.1', Date.now());
    expect(await ping(known)).toMatchObject({ status: 200 });
    expect(await ping(unseen)).toMatchObject({ status: 429 });
    expect(reasons.at(-1)).toBe('unverified');
    failedAuthentication.flush(Date.now());
    expect(await ping(unseen)).toMatchObject({ status: 200 });
  });
});
