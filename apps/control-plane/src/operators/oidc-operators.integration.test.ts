import { startTokenIssuer, type TestIssuer } from '@portcullis/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newBearer } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';
import { newOperatorToken, startTestApp, type TestApp } from '../testing/start-test-app.js';
import { FailedSignIns } from './failed-sign-ins.js';

const audience = 'https://control.test';
let issuer: TestIssuer;
let own: TestApp;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  const roles = [
    { value: 'portcullis-admins', role: 'admin' as const },
    { value: 'security', role: 'auditor' as const },
  ];
  const operatorOidc = {
    issuer: issuer.url,
    audience,
    jwksUri: undefined,
    algorithms: ['ES256' as const],
    roleClaim: 'groups',
    roles,
    egressAllow: ['127.0.0.0/8'],
  };
  own = await startTestApp({ operatorOidc });
});
beforeEach(() => own.app.get(FailedSignIns).forget());
afterAll(async () => {
  await own.close();
  await issuer.close();
});

const operatorToken = (claims: object = {}, header: object = {}): Promise<string> =>
  issuer.sign(
    { aud: audience, sub: 'ada', groups: ['everybody', 'portcullis-admins'], email: 'ada@example.com', ...claims },
    { typ: 'JWT', ...header },
  );
const statusWith = async (token: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', url = '/v1/agents', body?: object) =>
  (await own.call(method, url, body, token)).status;

test('a token of the issuer lets in whom its claim gives a role, and what they do is on record under issuer and subject', async () => {
  const token = await operatorToken();
  expect(await statusWith(token, 'POST', '/v1/agents', { slug: 'made-by-ada' })).toBe(201);
  const event = await own.database.auditEvent.findFirstOrThrow({ where: { method: 'operator/agent.created' }, orderBy: { seq: 'desc' } });
  expect([event.operator, event.keyId]).toEqual([`${issuer.url}#ada`, expect.stringMatching(/^jwt_[0-9a-f]{16}$/)]);
  const auditor = await operatorToken({ groups: 'security' });
  expect([await statusWith(auditor), await statusWith(auditor, 'POST', '/v1/agents', { slug: 'x' })]).toEqual([200, 403]);
  expect(await own.database.operator.count({ where: { name: { contains: 'ada' } } })).toBe(0);
});

test.each<[string, number, () => Promise<string>]>([
  ['A39: an agent’s, of the same issuer', 401, () => issuer.sign({ groups: ['portcullis-admins'] })],
  ['for us among others by a longer name', 401, () => operatorToken({ aud: `${audience}/` })],
  ['expired', 401, () => operatorToken({ exp: Math.floor(Date.now() / 1000) - 60 })],
  ['of another issuer', 401, () => operatorToken({ iss: 'https://other.test' })],
  ['without a subject', 401, () => operatorToken({ sub: undefined })],
  [
    'by an algorithm that is not asked for',
    401,
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await operatorToken()).split('.')[1] ?? ''}.`,
  ],
  ['with a key of its own', 401, () => operatorToken({}, { jwk: issuer.publicKey() })],
  ['without a role', 403, () => operatorToken({ groups: ['everybody'] })],
  ['with a role that is not mapped, though it is one of ours', 403, () => operatorToken({ groups: ['admin'] })],
  ['with another claim for the role', 403, () => operatorToken({ groups: undefined, roles: ['portcullis-admins'] })],
])('a token that is %s is refused (%i)', async (_what, status, token) => {
  expect(await statusWith(await token())).toBe(status);
});

test('who signs in is held to what they own by any of their names, and has no break-glass right', async () => {
  await own.call('POST', '/v1/servers', { slug: 'github', url: 'https://mcp.example.com/mcp' });
  await own.call('POST', '/v1/agents', { slug: 'adas', owner: 'Ada@Example.com' });
  const token = await operatorToken();
  const widening = await own.call('POST', '/v1/grants', { agent: 'adas', server: 'github', names: ['*'] }, token);
  expect([widening.status, widening.body.type]).toEqual([403, 'urn:portcullis:problem:self_widening']);
  expect(
    await statusWith(await operatorToken({ sub: 'bob', email: 'bob@example.com' }), 'POST', '/v1/grants', {
      agent: 'adas',
      server: 'github',
      names: ['*'],
    }),
  ).toBe(201);
});

test('the last administrator of our own stays, however many may sign in elsewhere', async () => {
  await own.database.operator.updateMany({ where: { name: { not: 'admin' } }, data: { enabled: false } });
  expect(await statusWith(await operatorToken(), 'DELETE', '/v1/operators/admin')).toBe(409);
  expect(await own.database.operator.count({ where: { role: 'admin', enabled: true } })).toBe(1);
});

test('whoever guesses is slowed: first for one token, then for all that were never right; nobody else is', async () => {
  const { token } = newBearer('operator');
  const [colleague, late] = [await newOperatorToken(own.app, 'auditor'), await newOperatorToken(own.app, 'auditor')];
  expect(await statusWith(colleague)).toBe(200);
  const guess = (at: number) => own.call('GET', '/v1/agents', undefined, `${token.slice(0, -4)}${String(1000 + at)}`);
  const first = await Promise.all(Array.from({ length: 10 }, (_, at) => guess(at)));
  expect(new Set(first.map(({ status }) => status))).toEqual(new Set([401]));
  const slowed = await guess(11);
  expect([slowed.status, slowed.body.type, slowed.headers['retry-after']]).toEqual([429, 'urn:portcullis:problem:rate_limited', '60']);
  expect(await statusWith(late)).toBe(200);
  const refuse = () => Promise.reject(new ProblemError('unauthenticated'));
  const guesses = Array.from({ length: 1000 }, () =>
    own.app.get(FailedSignIns).attempt({ ip: '127.0.0.1' }, { door: 'operator', token: newBearer('operator').token }, refuse),
  );
  await Promise.allSettled(guesses);
  expect(await statusWith(newBearer('operator').token)).toBe(429);
  expect(await statusWith(newBearer('node').token, 'GET', '/v1/node/keys')).toBe(429);
  expect(await statusWith(colleague)).toBe(200);
  own.app.get(FailedSignIns).forget();
  expect(await statusWith(newBearer('operator').token)).toBe(401);
});

test('a key that the issuer has not published opens nothing, and tokens of ours go on while it is down', async () => {
  await issuer.rotate();
  issuer.answer = (response) => response.writeHead(500).end();
  expect(await statusWith(await operatorToken())).toBe(401);
  expect(await statusWith(own.admin)).toBe(200);
  issuer.answer = undefined;
});
