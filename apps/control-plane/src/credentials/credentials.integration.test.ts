import type { ServerOptions } from 'node:https';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { createEgress } from '@portcullis/egress';
import { newBearer } from '@portcullis/secrets';
import { makeAuthority } from '@portcullis/testing';
import { EXCHANGER, SCOPE, SERVICE, startAuthorizationServer } from '@portcullis/testing/authorization-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { serverEntry } from '../snapshots/compile-entries.js';
import { readServers } from '../snapshots/snapshot-rows.js';
import { serve, type Peer } from '../testing/mcp-peers.js';
import { startDiscovery, type Discovery } from '../testing/start-discovery.js';
import { openServerSignIn } from './open-server-sign-in.js';

let discovery: Discovery;
const peers: Peer[] = [];
let count = 0;

beforeAll(async () => {
  discovery = await startDiscovery();
});
afterAll(async () => {
  await discovery.close();
  for (const peer of peers) await peer.close();
});

const call: Discovery['own']['call'] = (...request) => discovery.own.call(...request);
const canary = (): string => `canary-${(count += 1)}-${'x'.repeat(20)}`;
const headers = (value: string, name = 'Authorization') => ({ kind: 'headers', headers: [{ name, value }] });

/** A legacy server that answers everybody who says `Bearer <secret>`, and what it was asked with. */
async function guarded(secret: string | ((token: string) => boolean), tls?: ServerOptions) {
  const isLetIn = typeof secret === 'string' ? (token: string) => token === secret : secret;
  const seen: (string | undefined)[] = [];
  const peer = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        seen.push(request.headers.authorization);
        if (!isLetIn((request.headers.authorization ?? '').slice('Bearer '.length))) return response.writeHead(401).end();
        const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
        if (id === undefined) return response.writeHead(202).end();
        const results: Record<string, object> = {
          initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'guarded', version: '1' } },
          'tools/list': { tools: [{ name: 'read', inputSchema: { type: 'object' } }] },
        };
        const result = results[method];
        const answer = result === undefined ? { error: { code: -32601, message: 'no' } } : { result };
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      });
  }, tls);
  peers.push(peer);
  return { url: peer.url, seen };
}

async function aServer(url = 'https://mcp.example.com/mcp'): Promise<{ id: string; slug: string }> {
  const slug = `s${(count += 1)}`;
  const { body, status } = await call('POST', '/v1/servers', { slug, url, protocol: 'legacy' });
  expect(status).toBe(201);
  return body;
}

const entryOf = async (id: string) => {
  const [row] = await discovery.own.database.$transaction(async (tx) => (await readServers(tx, [bucketOf(id)])).filter((one) => one.id === id));
  return row && serverEntry(row);
};

test('a server is discovered with its own credential, and an agent’s never adds to what it offers', async () => {
  const secret = canary();
  const { url, seen } = await guarded(secret);
  const { slug } = await aServer(url);
  const look = async () => (await call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`)).body.server;
  expect((await look()).discovery).toMatchObject({ status: 'failed', error: expect.stringContaining('401') });
  await call('POST', '/v1/agents', { slug: `a-${slug}` });
  const own = await call('POST', '/v1/credentials', { server: slug, agent: `a-${slug}`, credential: headers(`Bearer ${secret}`) });
  expect([own.status, own.body]).toMatchObject([201, { agent: `a-${slug}`, status: 'ready' }]);
  expect((await look()).discovery.status).toBe('failed');
  expect(seen).not.toContain(`Bearer ${secret}`);
  expect((await call('POST', '/v1/credentials', { server: slug, credential: headers(`Bearer ${secret}`) })).status).toBe(201);
  expect(await look()).toMatchObject({ discovery: { status: 'ok' }, definitions: { pending: 1 } });
});

test('no secret is ever told again: in answers, lists, revisions, audit rows, the database or the snapshot', async () => {
  const [first, second] = [canary(), canary()];
  const server = await aServer();
  const created = await call('POST', '/v1/credentials', { server: server.slug, credential: headers(first, 'X-Api-Key') });
  expect(created.body).toMatchObject({ hasSecret: true, headers: ['x-api-key'], version: 1, server: server.slug, agent: null });
  const replaced = await call('PUT', `/v1/credentials/${created.body.id}`, { credential: headers(second), reason: 'it leaked' });
  expect([replaced.status, replaced.body]).toMatchObject([200, { headers: ['authorization'], version: 2 }]);
  const texts = await Promise.all(
    ['/v1/credentials', `/v1/credentials/${created.body.id}`, '/v1/revisions', `/v1/servers/${server.slug}`].map(
      async (url) => (await call('GET', url)).text,
    ),
  );
  const { database } = discovery.own;
  const rows = [await database.credential.findMany(), await database.revision.findMany(), await database.auditEvent.findMany()];
  const said = [
    created.text,
    replaced.text,
    ...texts,
    JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ];
  const events = await database.auditEvent.findMany({ where: { method: { startsWith: 'operator/credential.' } } });
  said.push(...events.map(({ arguments: kept }) => Buffer.from(kept ?? []).toString()), JSON.stringify(await entryOf(server.id)));
  for (const text of said) for (const secret of [first, second]) expect(text).not.toContain(secret);
  expect((await entryOf(server.id))?.credentials).toMatchObject([{ id: created.body.id, version: 2, kind: 'headers' }]);
});

test('a credential is for one origin: a server that moves takes it nowhere', async () => {
  const secret = canary();
  const { url: elsewhere, seen } = await guarded(secret);
  const server = await aServer();
  const { body } = await call('POST', '/v1/credentials', { server: server.slug, credential: headers(`Bearer ${secret}`) });
  await call('PATCH', `/v1/servers/${server.slug}`, { url: elsewhere });
  expect((await entryOf(server.id))?.credentials).toEqual([{ id: body.id, version: 1, kind: 'moved', sealed: '' }]);
  expect((await call('POST', `/v1/servers/${server.slug}/discovery?waitSeconds=30`)).body.server.discovery.error).toContain('moved');
  expect(seen).toEqual([]);
  expect((await call('GET', `/v1/credentials/${body.id}`)).body).toMatchObject({
    status: 'reconnect',
    statusReason: expect.stringContaining('moved'),
  });
  expect((await call('PUT', `/v1/credentials/${body.id}`, { credential: headers(`Bearer ${secret}`) })).body.status).toBe('ready');
  expect((await entryOf(server.id))?.credentials).toMatchObject([{ version: 2, kind: 'headers' }]);
});

test.each([
  ['a header of the connection', headers('x', 'Host')],
  ['a header of the protocol', headers('x', 'Mcp-Session-Id')],
  ['a header that ends in another', headers('a\r\nx-evil: 1')],
  ['an agent’s key of ours', headers(`Bearer ${newBearer('agent').token}`)],
  ['an operator’s token of ours', headers(newBearer('operator').token, 'x-key')],
  ['a kind that there is not', { kind: 'magic' }],
  ['no header at all', { kind: 'headers', headers: [] }],
])('%s is refused, and the refusal repeats no value', async (_what, credential) => {
  const { slug } = await aServer();
  const { status, text } = await call('POST', '/v1/credentials', { server: slug, credential });
  expect(status).toBe(400);
  for (const { value } of 'headers' in credential ? credential.headers : []) if (value.length > 3) expect(text).not.toContain(value);
});

test.each([
  ['the cloud’s own address', 'http://169.254.169.254/token', 'egress.address'],
  ['a private address', 'https://10.0.0.1/token', 'egress.address'],
  ['an address in the clear', 'http://as.example.com/token', 'not https'],
  ['a port of something else', 'https://as.example.com:6379/token', 'egress.port'],
])('%s is no token endpoint', async (_what, tokenEndpoint, said) => {
  const { slug } = await aServer();
  const credential = { kind: 'client-credentials', clientId: 'c', clientSecret: canary(), tokenEndpoint };
  const { status, body } = await call('POST', '/v1/credentials', { server: slug, credential });
  expect([status, body.detail]).toEqual([422, expect.stringContaining(said)]);
});

test('there is one credential for a server and one for each agent; they are found by both, and go with both', async () => {
  const [server, other] = [await aServer(), await aServer()];
  for (const agent of ['one', 'two']) await call('POST', '/v1/agents', { slug: `${agent}-${server.slug}` });
  const agent = `one-${server.slug}`;
  const create = (body: object) => call('POST', '/v1/credentials', { credential: headers('x'), ...body });
  expect((await create({ server: server.slug })).status).toBe(201);
  expect((await create({ server: server.slug })).status).toBe(409);
  expect((await create({ server: server.slug, agent })).status).toBe(201);
  expect((await create({ server: server.slug, agent: `two-${server.slug}` })).status).toBe(201);
  expect((await create({ server: other.slug })).status).toBe(201);
  expect((await create({ server: 'nobody' })).status).toBe(404);
  const listed = async (query: string) => (await call('GET', `/v1/credentials?${query}`)).body.items.length;
  expect([await listed(`server=${server.slug}`), await listed(`agent=${agent}`), await listed(`server=${other.slug}&status=reconnect`)]).toEqual([
    3, 1, 0,
  ]);
  const page = await call('GET', `/v1/credentials?server=${server.slug}&limit=2`);
  expect((await call('GET', `/v1/credentials?server=${server.slug}&limit=2&cursor=${page.body.nextCursor}`)).body.items.length).toBe(1);

  expect((await entryOf(server.id))?.credentials?.length).toBe(3);
  const deleted = await call('DELETE', `/v1/agents/${agent}`);
  const dirty = await discovery.own.database.dirtyBucket.findMany({ where: { revision: Number(deleted.headers['x-policy-revision']) } });
  expect(dirty).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'servers', bucket: bucketOf(server.id) })]));
  const [left] = (await call('GET', `/v1/credentials?server=${server.slug}`)).body.items;
  expect((await call('DELETE', `/v1/credentials/${left.id}`)).status).toBe(204);
  expect((await call('GET', `/v1/credentials/${left.id}`)).status).toBe(404);
  await call('DELETE', `/v1/servers/${server.slug}`);
  expect(await discovery.own.database.credential.count({ where: { serverId: server.id } })).toBe(0);
});

test('auditors see that there is a credential, viewers do not, and nobody but an administrator makes one', async () => {
  const { slug } = await aServer();
  const body = { server: slug, credential: headers('x') };
  expect((await call('POST', '/v1/credentials', body, discovery.own.auditor)).status).toBe(403);
  expect((await call('GET', '/v1/credentials', undefined, discovery.own.auditor)).status).toBe(200);
});

test('a server behind an authority of its own is reached with it, shows who it is called by, and nobody is told the key', async () => {
  const [servers, clients] = [makeAuthority('Servers'), makeAuthority('Clients')];
  const secret = canary();
  const { url, seen } = await guarded(secret, { ...servers.issue('127.0.0.1'), ca: clients.cert, requestCert: true, rejectUnauthorized: true });
  const { id, slug } = await aServer(url);
  await call('POST', '/v1/credentials', { server: slug, credential: headers(`Bearer ${secret}`) });
  const look = async () => (await call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`)).body.server.discovery;
  const put = (body: object) => call('PUT', `/v1/servers/${slug}/tls`, body);
  expect((await look()).status).toBe('failed');
  expect((await put({ ca: servers.cert })).status).toBe(200);
  expect((await look()).status).toBe('failed'); // it wants to know who calls
  const { cert: certificate, key } = clients.issue('gateway.test');
  const given = await put({ ca: servers.cert, client: { certificate, key }, reason: 'as they ask' });
  expect([given.status, given.body]).toMatchObject([200, { status: 'ready', version: 2, clientCertificate: certificate, ca: servers.cert }]);
  expect(given.body.client[0].expiresAt).toBe(given.body.expiresAt);
  expect(await look()).toMatchObject({ status: 'ok' });
  expect(seen).toContain(`Bearer ${secret}`);
  const line = key.split('\n')[1] ?? '';
  const kept = JSON.stringify([
    given.body,
    (await call('GET', `/v1/servers/${slug}/tls`)).body,
    await discovery.own.database.serverTls.findMany(),
    await discovery.own.database.revision.findMany(),
    (await discovery.own.database.auditEvent.findMany()).map(({ arguments: said }) => Buffer.from(said ?? []).toString()),
    await entryOf(id),
  ]);
  expect([line.length > 40, kept.includes(line)]).toEqual([true, false]);
  expect((await entryOf(id))?.tls).toMatchObject({ version: 2, ca: servers.cert, certificate, sealed: expect.stringMatching(/^v1\./) });

  // They are for one origin.
  await call('PATCH', `/v1/servers/${slug}`, { url: 'https://elsewhere.example.com/mcp' });
  expect((await call('GET', `/v1/servers/${slug}/tls`)).body).toMatchObject({ status: 'reconnect' });
  expect((await entryOf(id))?.tls).toEqual({ id: expect.any(String), version: 2, isMoved: true });
  expect((await call('DELETE', `/v1/servers/${slug}/tls`)).status).toBe(204);
  expect((await call('GET', `/v1/servers/${slug}/tls`)).status).toBe(404);
  expect((await entryOf(id))?.tls).toBeUndefined();
});

test('connections with certificates that were replaced, or taken away, are kept no longer', async () => {
  const { id, slug } = await aServer();
  const egress = createEgress({ allow: [] });
  let opened = 0;
  const ended: number[] = [];
  const fetchWith: typeof egress.fetchWith = (tls) => {
    const [place, way] = [(opened += 1), egress.fetchWith(tls)];
    return {
      ...way,
      close: async () => {
        ended.push(place);
        await way.close();
      },
    };
  };
  const signIn = openServerSignIn(discovery.own.database, discovery.own.app.get(KeyRing), { ...egress, fetchWith });
  const reach = () => signIn.fetchFor(id, fetch);
  const put = (name: string) => call('PUT', `/v1/servers/${slug}/tls`, { ca: makeAuthority(name).cert });
  await put('One');
  expect(await reach()).toBe(await reach());
  await put('Two');
  await Promise.all([reach(), reach(), reach()]);
  expect([opened, ended]).toEqual([2, [1]]);
  await call('DELETE', `/v1/servers/${slug}/tls`);
  expect([await reach(), opened, ended]).toEqual([fetch, 2, [1, 2]]);
  await egress.close();
});

test('certificates that no connection could be made with are refused where they are given, and quoted nowhere', async () => {
  const authority = makeAuthority('Clients');
  const [good, other, ended] = [authority.issue('a.test'), authority.issue('b.test'), authority.issue('c.test', [-20, -1])];
  const { slug } = await aServer();
  const cases: [object, string][] = [
    [{}, ''],
    [{ ca: 'no pem' }, '/ca'],
    [{ ca: good.cert.replace('MII', 'XXX') }, '/ca'],
    [{ client: { certificate: ended.cert, key: ended.key } }, '/client/certificate'],
    [{ client: { certificate: good.cert, key: other.key } }, '/client/key'],
    [{ client: { certificate: good.cert, key: good.key.replace('MI', 'xx') } }, '/client/key'],
  ];
  for (const [body, pointer] of cases) {
    const answer = await call('PUT', `/v1/servers/${slug}/tls`, body);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
    expect(answer.text).not.toContain('MIG');
  }
  expect((await call('GET', `/v1/servers/${slug}/tls`)).status).toBe(404);
  expect((await call('PUT', `/v1/servers/${slug}/tls`, { ca: authority.cert }, discovery.own.auditor)).status).toBe(403);
});

/** What a token says; whether it is true, its issuer says. */
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}');

test.each([
  ['client-credentials', SERVICE],
  ['token-exchange', EXCHANGER],
] as const)('a %s credential finds out where its tokens come from, has one asked for, and discovery goes with it', async (kind, client) => {
  const issuer = await startAuthorizationServer();
  try {
    const tokens: string[] = [];
    const { url } = await guarded(
      (token) => tokens.push(token) > 0 && token !== '' && claimsOf(token)['iss'] === issuer.url && claimsOf(token)['aud'] === url,
    );
    const { slug, id } = await aServer(url);
    const created = await call('POST', '/v1/credentials', { server: slug, credential: { kind, ...client, issuer: issuer.url, scopes: [SCOPE] } });
    expect([created.status, created.body]).toMatchObject([
      201,
      { kind, status: 'ready', oauth: { issuer: issuer.url, resource: url, scopes: [SCOPE] } },
    ]);
    expect(created.body.oauth.tokenEndpoint).toBe(`${issuer.url}/token`);
    expect(created.body.oauth.exchange).toEqual(kind === 'token-exchange' ? { subjectIssuer: issuer.url, audience: null } : undefined);
    expect(created.text).not.toContain(client.clientSecret);
    const look = await call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`);
    expect(look.body.server.discovery).toMatchObject({ status: 'ok', error: null });
    const used = new Set(tokens.filter((token) => token !== ''));
    expect([used.size, claimsOf([...used][0] ?? '')['client_id']]).toEqual([1, client.clientId]);
    expect((await entryOf(id))?.credentials).toMatchObject([{ kind, version: 1 }]);
    const wrong = { kind, ...client, clientSecret: 'another one', issuer: issuer.url, scopes: [SCOPE] };
    await call('PUT', `/v1/credentials/${created.body.id}`, { credential: wrong });
    const failed = await call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`);
    expect(failed.body.server.discovery).toMatchObject({ status: 'failed', error: expect.stringContaining('invalid_client') });
  } finally {
    await issuer.close();
  }
});
