import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reflector } from '@nestjs/core';
import { Problem } from '@portcullis/contracts/api/conventions';
import { createEgress } from '@portcullis/egress';
import { makeAuthority } from '@portcullis/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { OperatorTokens } from '../operators/operator-tokens.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';
import { AccessGuard } from './access.guard.js';

let own: TestApp;
let revisionBefore: number;

const revision = async (): Promise<number> => (await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'taken' });
  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp' } });
  revisionBefore = await revision();
});
afterAll(() => own.close());

/** Status and key of a problem document; throws for an answer that is none, or tells too much. */
function problemOf({ status, headers, body, text }: Answer): [number, string] {
  if (!String(headers['content-type']).startsWith('application/problem+json')) throw new Error(`No problem document but ${status} ${text}`);
  const { type } = Problem.parse(body);
  if (/node_modules|\.ts:|prisma|invocation/i.test(text)) throw new Error(`The problem document tells of our insides: ${text}`);
  return [status, type.replace('urn:portcullis:problem:', '')];
}

test('nothing long is read into memory for somebody who knows no key', async () => {
  await own.app.listen(0, '127.0.0.1');
  const { port } = own.app.getHttpServer().address() as AddressInfo;
  const begin = async (path: string, headers: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer nobody\r\n${headers}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer]; // nothing of the body was sent yet
    socket.destroy();
    return answer.toString().slice(0, 12);
  };
  const long = 'content-length: 900000';
  for (const path of ['/v1/agents', '/v1/node/status', '/v1/node/enrol', '/v1/runner/heartbeat', '/v1/imports'])
    expect(await begin(path, `content-type: application/json\r\n${long}`), path).toBe('HTTP/1.1 401');
  expect(await begin('/v1/policy/import', 'content-type: application/yaml\r\ncontent-length: 8000000')).toBe('HTTP/1.1 401');
  expect(await begin('/v1/agents', 'content-type: application/json\r\ntransfer-encoding: chunked')).toBe('HTTP/1.1 401');
  expect(await begin('/v1/nothing', `content-type: application/json\r\n${long}`)).toBe('HTTP/1.1 404');
});

describe('a request that is wrong in itself', () => {
  const agent = { slug: 'fresh' };
  const grant = { agent: 'taken', server: 'github', names: ['create_issue'] };
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
  test.each<[string, string, unknown, string]>([
    ['unparsable JSON', '/v1/agents', '{"slug": "fr', ''],
    ['no object', '/v1/agents', '["fresh"]', ''],
    ['null', '/v1/agents', 'null', ''],
    ['no body', '/v1/agents', undefined, ''],
    ['a missing member', '/v1/agents', {}, '/slug'],
    ['a wrong type', '/v1/agents', { slug: 7 }, '/slug'],
    ['a slug in capitals', '/v1/agents', { slug: 'Fresh' }, '/slug'],
    ['an empty slug', '/v1/agents', { slug: '' }, '/slug'],
    ['a slug too long', '/v1/agents', { slug: 'a'.repeat(33) }, '/slug'],
    ['an unknown member', '/v1/agents', { ...agent, role: 'admin' }, '/role'],
    ['a column of the row', '/v1/agents', { ...agent, id: '00000000-0000-7000-8000-000000000000' }, '/id'],
    ['a nested write', '/v1/agents', { ...agent, grants: { create: [{}] } }, '/grants'],
    ['NUL in a text', '/v1/agents', { ...agent, owner: 'a\0b' }, '/owner'],
    ['half a surrogate pair', '/v1/agents', '{"slug":"fresh","owner":"\\ud800"}', '/owner'],
    ['a query operator for a text', '/v1/agents', { slug: { contains: '' } }, '/slug'],
    ['a query operator for a reference', '/v1/grants', { ...grant, agent: { not: '' } }, ''],
    ['a list for a reference', '/v1/grants', { ...grant, server: ['github'] }, ''],
    ['both subjects', '/v1/grants', { ...grant, group: 'g' }, ''],
    ['no names', '/v1/grants', { ...grant, names: [] }, ''],
    ['a time that is none', '/v1/grants', { ...grant, expiresAt: 'tomorrow' }, ''],
    ['an end before the start', '/v1/grants', { ...grant, notBefore: '2030-01-02T00:00:00Z', expiresAt: '2030-01-01T00:00:00Z' }, '/expiresAt'],
    ['nesting without end', '/v1/policy/explain', `{"agent":"taken","target":"github:x","arguments":${deep}}`, ''],
    ['a target without a server', '/v1/policy/explain', { agent: 'taken', target: 'create_issue' }, '/target'],
    ['a prototype', '/v1/agents', '{"slug":"fresh","__proto__":{"enabled":false}}', ''],
    ['a number that no machine holds', '/v1/grants', '{"agent":"taken","server":"github","names":["x"],"reason":"\\n","pinned":{"a":1e400}}', ''],
    ['a prototype whose name is escaped', '/v1/agents', '{"slug":"fresh","\\u005f_proto__":{"enabled":false}}', ''],
  ])('is refused with 400: %s', async (_what, url, body, pointer) => {
    const answer = await own.call('POST', url, body);
    expect(problemOf(answer)).toEqual([400, 'validation']);
    if (pointer !== '') expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  test.each([
    '/v1/agents?limit=0',
    '/v1/agents?limit=201',
    '/v1/agents?limit=1e9',
    '/v1/agents?limit=ten',
    '/v1/agents?cursor=forged',
    `/v1/agents?cursor=${Buffer.from('{"slug":{"gt":""}}').toString('base64url')}`,
    '/v1/agents?unknown=1',
    '/v1/agents?q[contains]=a',
    '/v1/agents?q=a&q=b',
    '/v1/agents?q=%00',
    '/v1/agents/taken?verbose=1',
    '/v1/agents/NOT-A-SLUG',
    '/v1/agents/%00',
    '/v1/agents/..%2f..%2fsettings',
    '/v1/agents/%E0%A4%A',
    '/v1/grants/7',
    '/v1/revisions/-1',
    '/v1/revisions/99999999999',
    '/v1/settings?x=1',
    "/v1/audit/events?from=2030-01-01'%20OR%201=1",
    '/v1/audit/events?status=nothing',
    '/v1/audit/events/7',
  ])('is refused with 400: GET %s', async (url) => {
    expect(problemOf(await own.call('GET', url))).toEqual([400, 'validation']);
  });

  test.each([
    ['GET', '/v1/agents/nobody'],
    ['GET', '/v1/agents/00000000-0000-7000-8000-000000000000'],
    ['PATCH', '/v1/agents/nobody'],
    ['DELETE', '/v1/agents/nobody'],
    ['POST', '/v1/agents/nobody/keys'],
    ['DELETE', '/v1/agents/taken/keys/nothing'],
    ['GET', '/v1/agents/nobody/access'],
    ['GET', '/v1/groups/nobody'],
    ['PUT', '/v1/groups/nobody/members/taken'],
    ['DELETE', '/v1/grants/00000000-0000-7000-8000-000000000000'],
    ['GET', '/v1/grants?agent=nobody'],
    ['GET', '/v1/revisions/4000'],
    ['GET', '/v1/operators/nobody'],
    ['GET', '/v1/audit/events/00000000-0000-7000-8000-000000000000'],
  ] as const)('names something unknown: %s %s answers 404', async (method, url) => {
    const body = method === 'PATCH' || method === 'POST' ? {} : undefined;
    expect(problemOf(await own.call(method, url, body))).toEqual([404, 'not_found']);
  });

  test('names an unknown server, agent or group in a grant: 404', async () => {
    for (const change of [{ server: 'nothing' }, { agent: 'nobody' }])
      expect(problemOf(await own.call('POST', '/v1/grants', { ...grant, ...change }))).toEqual([404, 'not_found']);
    expect(problemOf(await own.call('POST', '/v1/grants', { group: 'nobody', server: 'github', names: ['x'] }))).toEqual([404, 'not_found']);
  });

  test('is too large: 413', async () => {
    expect(problemOf(await own.call('POST', '/v1/agents', { slug: 'fresh', owner: 'x'.repeat(1_100_000) }))).toEqual([413, 'too_large']);
  });

  test('brings anything but JSON: 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml']) {
      const headers = { authorization: `Bearer ${own.admin}`, 'content-type': type };
      const answer = await own.app.inject({ method: 'POST', url: '/v1/agents', headers, payload: '{"slug":"fresh"}' });
      expect(problemOf({ status: answer.statusCode, headers: answer.headers, text: answer.payload, body: answer.json() })).toEqual([
        415,
        'unsupported_media_type',
      ]);
    }
  });

  test('uses a taken slug: 409', async () => {
    expect(problemOf(await own.call('POST', '/v1/agents', { slug: 'taken' }))).toEqual([409, 'conflict']);
  });

  test('asks an unknown route: 404, and a known one with another method: 405', async () => {
    expect(problemOf(await own.call('GET', '/v1/nothing'))).toEqual([404, 'not_found']);
    expect(problemOf(await own.call('GET', '/'))).toEqual([404, 'not_found']);
    const answer = await own.call('DELETE', '/v1/agents');
    expect(problemOf(answer)).toEqual([405, 'method_not_allowed']);
    expect(answer.headers['allow']).toContain('POST');
  });

  test('leaves nothing half-written', async () => {
    expect(await revision()).toBe(revisionBefore);
    expect(await own.database.agent.findMany({ select: { slug: true, owner: true } })).toEqual([{ slug: 'taken', owner: null }]);
    expect([await own.database.grant.count(), await own.database.agentKey.count(), await own.database.group.count()]).toEqual([0, 0, 0]);
  });
});

test('a fault of ours answers 500 and tells nothing of its cause', async () => {
  const broken = await startTestApp();
  await broken.database.$executeRawUnsafe('ALTER TABLE agent RENAME TO elsewhere');
  const answer = await broken.call('GET', '/v1/agents');
  expect(problemOf(answer)).toEqual([500, 'internal']);
  expect(answer.body.detail).toBeUndefined();
  await broken.close();
});

test('a route without a mark answers 403 even to an administrator', async () => {
  const guard = new AccessGuard(new Reflector(), own.app.get(OperatorTokens, { strict: false }), own.app.get(FailedSignIns, { strict: false }));
  const context = { getHandler: () => () => undefined, getClass: () => class Unmarked {} };
  await expect(guard.canActivate(context as never)).rejects.toMatchObject({ key: 'forbidden' });
});

test('the OpenAPI document and a page to browse it are served by this process alone', async () => {
  const document = await own.call('GET', '/v1/openapi.json', undefined, null);
  expect([document.status, document.body.openapi]).toEqual([200, '3.1.0']);
  expect(document.body.components.securitySchemes.operator).toMatchObject({ type: 'http', scheme: 'bearer' });
  expect(document.body.paths['/v1/agents'].post.responses['400'].content['application/problem+json']).toBeDefined();
  expect(document.body.paths['/v1/agents'].post.requestBody.content['application/json'].schema.$ref).toBe('#/components/schemas/CreateAgent');
  const page = await own.call('GET', '/docs', undefined, null);
  expect([page.status, page.headers['content-security-policy']]).toEqual([
    200,
    expect.stringMatching(/^default-src 'self'; .*frame-ancestors 'none'$/),
  ]);
  // What the policy would keep a browser from running, the page does not have.
  expect(page.text).not.toMatch(/<script(?![^>]+src=)[^>]*>|\son\w+=/);
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([]);
  for (const source of sources) {
    const path = new URL(source, 'http://localhost/docs').pathname;
    expect((await own.call('GET', path, undefined, null)).status, `${path}`).toBe(200);
  }
});

test('operators reach the REST API over TLS where a certificate is given, and over nothing else then', async () => {
  const authority = makeAuthority('Ours');
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-tls-'));
  const tls = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  const { cert, key } = authority.issue('127.0.0.1');
  await Promise.all([writeFile(tls.certFile, cert), writeFile(tls.keyFile, key)]);
  const secure = await startTestApp({ tls });
  const egress = createEgress({ allow: ['127.0.0.0/8'], ca: authority.cert });
  try {
    await secure.app.listen(0, '127.0.0.1');
    const url = await secure.app.getUrl();
    expect(url).toMatch(/^https:/);
    const headers = { authorization: `Bearer ${secure.admin}` };
    expect((await egress.fetch(`${url}/v1/agents`, { headers })).status).toBe(200);
    expect((await egress.fetch(`${url}/v1/agents`)).status).toBe(401);
    await expect(egress.fetch(url.replace('https:', 'http:'), { headers })).rejects.toThrow('fetch failed');
  } finally {
    await egress.close();
    await secure.close();
    await rm(directory, { recursive: true });
  }
});

test('a name that is written with an escape is read as it is meant, whatever others wrote before', async () => {
  const terms = { agent: 'taken', server: 'github', names: ['create_issue'] };
  // The engine's parser would take the next name for this one.
  JSON.parse('{"a":1,"\\\\u00":1}');
  const body = JSON.stringify({ ...terms, pinned: { a: 1, path: 'x' } }).replace('"path"', '"\\u0070ath"');
  const answer = await own.call('POST', '/v1/grants', body);
  expect([answer.status, answer.body.pinned]).toEqual([201, { a: 1, path: 'x' }]);
});
