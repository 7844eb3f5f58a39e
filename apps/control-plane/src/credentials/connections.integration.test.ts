import { createHash } from 'node:crypto';
import { nodeTokenAad } from '@portcullis/contracts/node';
import { newNodeKeyPair, openWith } from '@portcullis/secrets';
import { makeAuthority } from '@portcullis/testing';
import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startAuthorizationServer, usualRules, type AuthorizationServer } from '../testing/authorization-server.js';
import { startDiscovery, type Discovery } from '../testing/start-discovery.js';
import { newOperatorToken } from '../testing/start-test-app.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ConnectionTokens, NotConnected } from './connection-tokens.js';
import { ConnectionWays } from './connection-ways.js';
import { CredentialVault } from './credential-vault.js';
import { CredentialSettings } from './stored-credential.js';

let discovery: Discovery;
let authorization: AuthorizationServer;
let count = 0;
const redirectUri = 'http://127.0.0.1:41234/callback';

const PUBLIC_URL = 'https://portcullis.example.com';
const own = { alerts: { lookMs: 100, slowMs: 100 }, credentials: { egressAllow: ['127.0.0.0/8'], publicUrl: PUBLIC_URL } };

beforeAll(async () => {
  [discovery, authorization] = [await startDiscovery(100, own), await startAuthorizationServer()];
});
afterAll(async () => {
  await discovery.close();
  await authorization.close();
});
beforeEach(() => {
  Object.assign(authorization.rules, usualRules());
  authorization.asked.length = 0;
});

const call: Discovery['own']['call'] = (...request) => discovery.own.call(...request);

/** A server behind that authorization server, and the connection it needs, not yet made. */
async function aConnection(): Promise<{ id: string; slug: string }> {
  const slug = `c${(count += 1)}`;
  await call('POST', '/v1/servers', { slug, url: authorization.resource, protocol: 'legacy' });
  const { body, status, text } = await call('POST', '/v1/credentials', { server: slug, credential: { kind: 'authorization-code' } });
  expect(status, text).toBe(201);
  return { ...body, slug };
}
const begin = (id: string, token?: string) => call('POST', `/v1/credentials/${id}/connect`, { redirectUri }, token);
const finish = (id: string, answer: object, token?: string) => call('POST', `/v1/credentials/${id}/connection`, answer, token);
const consentTo = async (id: string) => Object.fromEntries(authorization.consent((await begin(id)).body.authorizationUrl));
async function connected() {
  const made = await aConnection();
  expect((await finish(made.id, await consentTo(made.id))).status).toBe(200);
  return made;
}
const tokensOf = () => discovery.own.app.get(ConnectionWays).tokens;
const expire = (credentialId: string) =>
  discovery.own.database.credentialToken.update({ where: { credentialId }, data: { accessExpiresAt: new Date(Date.now() - 1000) } });

test('a connection is found out, consented to once, and used for discovery', async () => {
  const { id, slug } = await aConnection();
  const { body } = await call('GET', `/v1/credentials/${id}`);
  expect(body).toMatchObject({
    status: 'unconnected',
    oauth: { client: 'registered', resource: authorization.resource, scopes: ['tools'], authentication: 'none' },
  });
  expect(body.next[0]).toContain('connect');
  const look = async () => (await call('POST', `/v1/servers/${slug}/discovery?waitSeconds=30`)).body.server;
  expect((await look()).discovery).toMatchObject({ status: 'failed', error: expect.stringContaining('connection') });

  const { body: begun } = await begin(id);
  const asked = new URL(begun.authorizationUrl).searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    resource: authorization.resource,
    scope: 'tools',
  });
  const done = await finish(id, Object.fromEntries(authorization.consent(begun.authorizationUrl)));
  expect([done.status, done.body]).toMatchObject([200, { status: 'ready', connectedBy: 'admin', tokenExpiresAt: expect.any(String) }]);
  expect(await look()).toMatchObject({ discovery: { status: 'ok' }, definitions: { pending: 1 } });

  const { database } = discovery.own;
  const rows = JSON.stringify([
    await database.credential.findMany(),
    await database.credentialToken.findMany(),
    await database.credentialConnection.findMany(),
  ]);
  const said = `${rows}${done.text}${(await call('GET', '/v1/credentials')).text}`;
  for (const secret of [...authorization.live, ...authorization.asked.flatMap((form) => form.getAll('code_verifier')), asked.get('state') ?? '']) {
    expect(secret).not.toBe('');
    expect(said).not.toContain(secret);
  }
});

test('what a browser brings back is good once, for the operator who began, for a while, and for this credential', async () => {
  const { id } = await aConnection();
  const other = await aConnection();
  const stranger = await newOperatorToken(discovery.own.app, 'admin');
  const answer = await consentTo(id);
  expect((await finish(id, answer, stranger)).status).toBe(409);
  expect((await finish(other.id, answer)).status).toBe(409);
  expect((await finish(id, { ...answer, state: 'x'.repeat(43) })).status).toBe(409);
  expect((await finish(id, answer)).status).toBe(200);
  expect((await finish(id, answer)).status).toBe(409);
  const late = await consentTo(id);
  await discovery.own.database.credentialConnection.updateMany({ data: { expiresAt: new Date(Date.now() - 1) } });
  expect((await finish(id, late)).status).toBe(409);
});

test('an answer of another authorization server is refused, and so is one that does not say whose it is', async () => {
  const { id } = await aConnection();
  const { iss, ...nameless } = await consentTo(id);
  expect(iss).toBe(authorization.issuer);
  expect((await finish(id, nameless)).status).toBe(422);
  expect((await finish(id, { ...(await consentTo(id)), iss: 'https://evil.example.com' })).status).toBe(422);
  expect(authorization.asked).toEqual([]);
});

test('an authorization server without PKCE is refused, and a code goes nowhere but to us', async () => {
  const { id } = await aConnection();
  authorization.rules.hasPkce = false;
  const slug = `c${(count += 1)}`;
  await call('POST', '/v1/servers', { slug, url: authorization.resource, protocol: 'legacy' });
  const refused = await call('POST', '/v1/credentials', { server: slug, credential: { kind: 'authorization-code' } });
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('PKCE')]);
  for (const elsewhere of [
    'https://evil.example.com/callback',
    'http://127.0.0.1:1/other',
    'http://127.0.0.1.evil.example.com/callback',
    'http://localhost:1/callback',
  ])
    expect((await call('POST', `/v1/credentials/${id}/connect`, { redirectUri: elsewhere })).status).toBe(400);
});

test('whoever only asks what a connection would change is registered nowhere', async () => {
  const slug = `c${(count += 1)}`;
  await call('POST', '/v1/servers', { slug, url: authorization.resource, protocol: 'legacy' });
  const asked = { credential: { kind: 'authorization-code' } };
  const rehearse = async (method: 'POST' | 'PUT', path: string, body: object) => {
    const before = authorization.clients.size;
    const { status, headers } = await call(method, `${path}?dryRun=true`, body);
    return [status, headers['x-dry-run'], authorization.clients.size - before];
  };
  expect(await rehearse('POST', '/v1/credentials', { server: slug, ...asked })).toEqual([200, 'true', 0]);
  const { body } = await call('POST', '/v1/credentials', { server: slug, ...asked });
  expect(authorization.clients).toContain(body.oauth.clientId);
  expect(await rehearse('PUT', `/v1/credentials/${body.id}`, asked)).toEqual([200, 'true', 0]);
});

test('whoever means another version of a connection is registered nowhere', async () => {
  const { id } = await aConnection();
  const before = authorization.clients.size;
  const { status } = await discovery.own.callWith({ 'if-match': '"1.x"' }, 'PUT', `/v1/credentials/${id}`, {
    credential: { kind: 'authorization-code' },
  });
  expect([status, authorization.clients.size]).toEqual([412, before]);
});

test('a server never says who is shown agents’ tokens', async () => {
  const slug = `c${(count += 1)}`;
  await call('POST', '/v1/servers', { slug, url: authorization.resource, protocol: 'legacy' });
  const exchange = { kind: 'token-exchange', clientId: 'us', clientSecret: 'ours', subjectIssuer: 'https://login.example.com' };
  const create = (named: object) => call('POST', '/v1/credentials', { server: slug, credential: { ...exchange, ...named } });
  const steered = await create({});
  expect([steered.status, steered.body.detail]).toEqual([422, expect.stringContaining('issuer or tokenEndpoint')]);
  const { status, body } = await create({ issuer: authorization.issuer });
  expect([status, body.oauth]).toMatchObject([
    201,
    { tokenEndpoint: `${authorization.issuer}/token`, exchange: { subjectIssuer: exchange.subjectIssuer } },
  ]);
  const { change } = await discovery.own.database.revision.findFirstOrThrow({ orderBy: { revision: 'desc' } });
  expect(change).toMatchObject({ change: { exchange: { subjectIssuer: exchange.subjectIssuer, audience: null } } });
});

test('who we are is read in a document of ours where that is taken, and a browser comes back to a page of ours that knows nothing', async () => {
  authorization.rules.takesDocuments = true;
  const { id } = await aConnection();
  const documentAt = `${PUBLIC_URL}/oauth/client-metadata.json`;
  const { oauth } = (await call('GET', `/v1/credentials/${id}`)).body;
  expect(oauth).toMatchObject({ client: 'metadata-document', clientId: documentAt, authentication: 'none' });
  const document = await call('GET', '/oauth/client-metadata.json', undefined, null);
  const page = `${PUBLIC_URL}/oauth/callback`;
  expect([document.status, document.body]).toMatchObject([200, { client_id: documentAt, token_endpoint_auth_method: 'none' }]);
  expect(document.body.redirect_uris).toEqual(['http://127.0.0.1/callback', page]);

  authorization.documents.set(documentAt, document.body);
  const begun = await call('POST', `/v1/credentials/${id}/connect`, { redirectUri: page });
  const came = authorization.consent(begun.body.authorizationUrl);
  expect(came.get('code')).not.toBeNull();
  const shown = await call('GET', `/oauth/callback?${came}`, undefined, null);
  expect([shown.status, shown.headers['content-type'], shown.headers['content-security-policy'], shown.headers['referrer-policy']]).toEqual([
    200,
    'text/html; charset=utf-8',
    "default-src 'none'; frame-ancestors 'none'",
    'no-referrer',
  ]);
  expect(shown.text).not.toContain(came.get('code'));
  expect((await call('GET', `/v1/credentials/${id}`)).body.status).toBe('unconnected');
  expect((await finish(id, Object.fromEntries(came))).body.status).toBe('ready');
  expect(authorization.asked.at(-1)?.get('client_id')).toBe(documentAt);
});

test('a token is renewed before it ends, by one of all that want it, and its rotated refresh token is kept', async () => {
  const { id } = await connected();
  authorization.asked.length = 0;
  for (let round = 1; round <= 3; round += 1) {
    await expire(id);
    const given = await Promise.all(Array.from({ length: 10 }, () => tokensOf().token(id)));
    expect(new Set(given.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(authorization.asked.map((form) => form.get('grant_type'))).toEqual(Array.from({ length: round }, () => 'refresh_token'));
  }
  expect(authorization.asked.every((form) => form.get('resource') === authorization.resource)).toBe(true);
});

test('a connection that its authorization server has ended says so once, and is made anew by hand', async () => {
  const { id, slug } = await connected();
  authorization.rules.refuses = 'invalid_grant';
  await expire(id);
  for (let round = 0; round < 3; round += 1) await expect(tokensOf().token(id)).rejects.toBeInstanceOf(NotConnected);
  const { body } = await call('GET', `/v1/credentials/${id}`);
  expect(body).toMatchObject({ status: 'reconnect', statusReason: expect.stringContaining('invalid_grant') });
  expect((await call('GET', '/v1/credentials?status=reconnect')).body.items.map((one: { id: string }) => one.id)).toContain(id);
  const events = await discovery.own.database.auditEvent.findMany({ where: { method: 'operator/credential.connection-ended' } });
  expect(
    events.filter(({ arguments: kept }) =>
      Buffer.from(kept ?? [])
        .toString()
        .includes(slug),
    ).length,
  ).toBe(1);
  authorization.rules.refuses = undefined;
  expect((await finish(id, await consentTo(id))).body.status).toBe('ready');
  expect((await tokensOf().token(id)).accessToken).toMatch(/^at-/);
});

test('a connection that cannot be renewed, or has to be made anew, shows with its server and raises an alert', async () => {
  const { id, slug } = await connected();
  const rule = (await call('POST', '/v1/alert-rules', { name: 'keys', when: { kind: 'credential', server: slug } })).body.id;
  const server = async () => (await call('GET', `/v1/servers/${slug}`)).body;
  const states = async () =>
    (await call('GET', `/v1/alerts?rule=${rule}`)).body.items.map(({ values }: { values: { state: string } }) => values.state);
  const raised = (expected: string[]) => vi.waitFor(async () => expect(await states()).toEqual(expected), { timeout: 20_000, interval: 100 });
  expect((await server()).credentialTroubles).toEqual([]);

  authorization.rules.refuses = 'temporarily_unavailable';
  authorization.rules.status = 503;
  await expire(id);
  await expect(tokensOf().token(id)).rejects.toMatchObject({ fault: 'unavailable' });
  expect(await server()).toMatchObject({ credentialTroubles: [{ state: 'failing', credentialId: id }] });
  await raised(['failing']);
  authorization.rules.status = undefined;
  authorization.rules.refuses = undefined;
  await tokensOf().token(id);
  expect((await server()).credentialTroubles).toEqual([]);

  authorization.rules.refuses = 'invalid_grant';
  await expire(id);
  await expect(tokensOf().token(id)).rejects.toBeInstanceOf(NotConnected);
  const troubled = await server();
  expect(troubled.credentialTroubles).toMatchObject([{ state: 'reconnect', reason: expect.stringContaining('invalid_grant') }]);
  expect(troubled.next.join()).toContain(`/v1/credentials/${id}/connect`);
  await raised(['reconnect', 'failing']);
  authorization.rules.refuses = undefined;
});

test('a token that cannot be renewed, and a certificate, are told of before they end', async () => {
  const { id, slug } = await connected();
  const soon = new Date(Date.now() + 3 * 86_400_000);
  await discovery.own.database.credentialToken.update({ where: { credentialId: id }, data: { refreshToken: null, accessExpiresAt: soon } });
  await call('PUT', `/v1/servers/${slug}/tls`, { ca: makeAuthority('Short').issue('a.test', [-1, 5]).cert });
  const rule = (await call('POST', '/v1/alert-rules', { name: 'ends', when: { kind: 'credential', server: slug } })).body.id;
  const { body } = await call('GET', `/v1/servers/${slug}`);
  expect(body.credentialTroubles).toMatchObject([
    { state: 'ends-soon', credentialId: null },
    { state: 'ends-soon', credentialId: id, endsAt: soon.toISOString() },
  ]);
  const subjects = async () => (await call('GET', `/v1/alerts?rule=${rule}`)).body.items.map(({ subject }: { subject: object }) => subject);
  const expected = [id, 'certificates'].map((credential) => expect.objectContaining({ server: slug, credential, state: 'ends-soon' }));
  await vi.waitFor(async () => expect(await subjects()).toEqual(expect.arrayContaining(expected)), { timeout: 20_000, interval: 100 });
});

test('a node is given tokens sealed to itself, a newer one in the place of one that was refused, and told when there is none', async () => {
  const { id } = await connected();
  const pair = newNodeKeyPair();
  const join = await call('POST', '/v1/nodes/join-tokens', {});
  const enrolled = await call('POST', '/v1/node/enrol', { name: 'n1', sealingPublicKey: pair.publicKey }, join.body.token);
  const { nodeId, nodeKey } = enrolled.body;
  const ask = (credential: string, refused?: string) =>
    call('POST', `/v1/node/credentials/${credential}/token`, { ...(refused !== undefined && { refused }) }, nodeKey);
  const open = (sealed: string): string => openWith(pair.privateKey, sealed, nodeTokenAad(nodeId, id)).toString();
  const first = await ask(id);
  const token = open(first.body.sealedToken);
  expect([first.status, authorization.live.has(token)]).toEqual([200, true]);
  expect(first.text).not.toContain(token);
  const renewed = open((await ask(id, createHash('sha256').update(token).digest('hex'))).body.sealedToken);
  expect([renewed === token, authorization.live.has(renewed)]).toEqual([false, true]);
  expect((await ask((await aConnection()).id)).status).toBe(409);
  expect((await call('POST', `/v1/node/credentials/${id}/token`, {})).status).toBe(401);
});

test('an authorization server that says nothing holds up nobody but who asks for its tokens', async () => {
  const { id } = await connected();
  const { database, app } = discovery.own;
  const known = await database.credential.findUniqueOrThrow({ where: { id } });
  const settings = CredentialSettings.parse(known.settings);
  const silent = Promise.withResolvers<Response>();
  const fetch = vi.fn<() => Promise<Response>>(() => silent.promise);
  const vault = app.get(CredentialVault);
  const tokens = new ConnectionTokens({ database, vault, changes: app.get(RecordedChanges), fetch });
  const ids = Array.from({ length: 12 }, () => v7());
  for (const [at, each] of ids.entries()) {
    const server = await database.server.create({ data: { slug: `silent-${at}`, name: 'silent', url: authorization.resource, enabled: false } });
    const sealed = vault.seal({ id: each, version: 1 }, { settings, secret: { kind: 'authorization-code', clientSecret: null } });
    const about = { kind: known.kind, settings: known.settings ?? {}, createdBy: known.createdBy };
    await database.credential.create({ data: { id: each, serverId: server.id, holderId: server.id, ...about, ...sealed } });
    await database.$transaction((tx) => tokens.store(tx, each, { accessToken: 'a', expiresAt: Date.now() - 1000, refreshToken: 'r' }));
  }
  const asked = Promise.allSettled(ids.map((each) => tokens.token(each)));
  await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(3), 10_000);
  for (let look = 0; look < 20; look += 1) expect(await database.operator.count()).toBeGreaterThan(0); // with a connection that nobody else has
  expect(fetch).toHaveBeenCalledTimes(3);
  silent.reject(new Error('it never answered'));
  expect((await asked).every(({ status }) => status === 'rejected')).toBe(true);
});
