import { beforeAll, expect, test, vi } from 'vitest';
import { rawTool, serveLegacy, serveModern, serveRaw } from '../testing/mcp-peers.js';
import type { TestApp } from '../testing/start-test-app.js';
import { useDiscovery } from '../testing/use-discovery.js';

const discovery = useDiscovery();
const { open, discover, definitions } = discovery;
let own: TestApp;
beforeAll(() => {
  ({ own } = discovery);
});

const register = async (slug: string, url: string, more: object = {}) => own.call('POST', '/v1/servers', { slug, url, ...more });
const states = async (slug: string): Promise<Record<string, string>> =>
  Object.fromEntries((await definitions(slug)).map(({ name, state }: { name: string; state: string }) => [name, state]));
const revision = async (): Promise<number> => (await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;

test('nothing a new server offers is approved before an operator says so, and the answer says what comes next', async () => {
  const created = await register('everything', await open(serveLegacy()));
  expect(created.status).toBe(201);
  expect(created.body.discovery.status).toBe('never');
  expect(created.body.next[0]).toContain('POST /v1/servers/everything/discovery');
  // Not the newest: what discovery has found by now is another.
  const { revision: registered } = await own.database.revision.findFirstOrThrow({ where: { action: 'server.created' } });
  expect(Number(created.headers['x-policy-revision'])).toBe(registered);
  const { finished, server } = await discover('everything');
  expect(finished).toBe(true);
  expect(server).toMatchObject({
    era: 'legacy',
    instructions: 'Be kind.',
    discovery: { status: 'ok', error: null },
    definitions: { pending: 4, approved: 0 },
  });
  expect(server.next.join()).toContain('POST /v1/servers/everything/definitions/approve {"all":true}');
  const approved = await own.call('POST', '/v1/servers/everything/definitions/approve', { all: true });
  expect(approved.status).toBe(200);
  expect(approved.body).toMatchObject({ decided: 4, server: { definitions: { pending: 0, approved: 4 } } });
  expect(approved.body.server.next.join()).toContain('POST /v1/grants');
  const again = await own.call('POST', '/v1/servers/everything/definitions/approve', { all: true });
  expect(again.body.decided).toBe(0);
  expect(again.headers['x-policy-revision']).toBe(approved.headers['x-policy-revision']);
});

test('trust on first sight is given once, by name', async () => {
  let tools = rawTool('first');
  await register('trusted', await open(serveRaw(() => ({ tools }))), { approve: 'all' });
  await discover('trusted');
  expect(await states('trusted')).toEqual({ first: 'approved' });
  tools = `${rawTool('first')},${rawTool('second')}`;
  await discover('trusted');
  expect(await states('trusted')).toEqual({ first: 'approved', second: 'pending' });
});

test('a changed definition is withheld until the difference is approved, and key order is no change', async () => {
  let tools = rawTool('tool', 'one');
  await register('pinned', await open(serveRaw(() => ({ tools }))), { approve: 'all' });
  await discover('pinned');
  const before = await revision();
  tools = '{"inputSchema":{"type":"object"},"description":"one","name":"tool","_meta":{"new":true}}';
  await discover('pinned');
  expect(await states('pinned')).toEqual({ tool: 'approved' });
  expect(await revision()).toBe(before);
  tools = rawTool('tool', 'two');
  const { server } = await discover('pinned');
  expect(await states('pinned')).toEqual({ tool: 'changed' });
  expect(await revision()).toBe(before + 1);
  expect(server.next.join()).toContain('state=changed');
  const [changed] = await definitions('pinned');
  expect(changed).toMatchObject({ ref: 'pinned:tool', offered: { description: 'two' }, approved: { description: 'one' } });
  const looked = { definitions: [{ id: changed.id, hash: changed.approvedHash }] };
  expect((await own.call('POST', '/v1/servers/pinned/definitions/approve', looked)).status).toBe(409);
  const decided = await own.call('POST', '/v1/servers/pinned/definitions/approve', { definitions: [{ id: changed.id, hash: changed.hash }] });
  expect(decided.status).toBe(200);
  expect((await definitions('pinned'))[0]).toMatchObject({ state: 'approved', approved: null, approvedHash: changed.hash, decidedBy: 'admin' });
});

test('a definition that goes away leaves, and comes back approved only if it is the same', async () => {
  let tools = `${rawTool('stays')},${rawTool('goes')}`;
  await register('moving', await open(serveRaw(() => ({ tools }))), { approve: 'all' });
  await discover('moving');
  tools = rawTool('stays');
  await discover('moving');
  expect(await states('moving')).toEqual({ stays: 'approved', goes: 'removed' });
  const gone = (await definitions('moving')).find(({ name }: { name: string }) => name === 'goes');
  expect((await own.call('POST', '/v1/servers/moving/definitions/approve', { definitions: [{ id: gone.id }] })).status).toBe(409);
  tools = `${rawTool('stays')},${rawTool('goes')}`;
  await discover('moving');
  expect(await states('moving')).toEqual({ stays: 'approved', goes: 'approved' });
});

test('a rejected definition stays out until it changes', async () => {
  let tools = rawTool('tool', 'one');
  await register('judged', await open(serveRaw(() => ({ tools }))));
  await discover('judged');
  const rejected = await own.call('POST', '/v1/servers/judged/definitions/reject', { all: true, reason: 'too powerful' });
  expect(rejected.body.decided).toBe(1);
  await discover('judged');
  expect(await states('judged')).toEqual({ tool: 'rejected' });
  tools = rawTool('tool', 'two');
  await discover('judged');
  expect(await states('judged')).toEqual({ tool: 'pending' });
});

test('a failed discovery is told in words, and what was approved stays', async () => {
  const peer = await serveRaw(() => ({ tools: rawTool('tool') }));
  await register('down', peer.url, { approve: 'all' });
  await discover('down');
  await peer.close();
  const { finished, server } = await discover('down');
  expect(finished).toBe(true);
  expect(server.discovery.status).toBe('failed');
  expect(server.discovery.error).toMatch(/^The connection to 127\.0\.0\.1:\d+ was refused/);
  expect(await states('down')).toEqual({ tool: 'approved' });
});

test('a server is discovered without anybody asking, and again when its time comes', async () => {
  let tools = rawTool('one');
  await register('scheduled', await open(serveRaw(() => ({ tools }))));
  await vi.waitFor(async () => expect(await states('scheduled')).toEqual({ one: 'pending' }), 20_000);
  tools = rawTool('two');
  await own.database.server.updateMany({ data: { nextDiscoveryAt: new Date(0) } });
  await vi.waitFor(async () => expect(await states('scheduled')).toEqual({ one: 'removed', two: 'pending' }), 20_000);
});

test('a server that moves is asked at its new address, and disabled ones are left alone', async () => {
  await register('moved', await open(serveLegacy()));
  await discover('moved');
  const moved = await own.call('PATCH', '/v1/servers/moved', { url: await open(serveModern('reject')), enabled: false });
  expect(moved.status).toBe(200);
  const { finished, server } = await discover('moved');
  expect(finished).toBe(true);
  expect(server).toMatchObject({ era: 'modern', enabled: false });
  expect((await own.database.server.findUniqueOrThrow({ where: { slug: 'moved' } })).nextDiscoveryAt).toBeNull();
  expect(await states('moved')).toMatchObject({ search: 'pending', add: 'removed' });
  expect(server.next[0]).toContain('PATCH /v1/servers/moved {"enabled":true}');
});

test('nothing is served from another address until what was approved was found there', async () => {
  const serve = () => serveRaw(() => ({ tools: rawTool('tool') }));
  await register('relocated', await open(serve()), { approve: 'all' });
  await discover('relocated');
  expect(await states('relocated')).toEqual({ tool: 'approved' });
  const nobody = await serve();
  await nobody.close();
  expect((await own.call('PATCH', '/v1/servers/relocated', { url: nobody.url })).status).toBe(200);
  expect(await states('relocated')).toEqual({ tool: 'removed' });
  expect((await own.call('PATCH', '/v1/servers/relocated', { url: await open(serve()) })).status).toBe(200);
  await discover('relocated');
  expect(await states('relocated')).toEqual({ tool: 'approved' });
});

test('a server that was upgraded to the newer era is found again at once', async () => {
  await register('upgraded', await open(serveLegacy()));
  expect((await discover('upgraded')).server.era).toBe('legacy');
  // The same address would answer in the other era; the test has to use another one, behind the service's back.
  await own.database.server.update({ where: { slug: 'upgraded' }, data: { url: await open(serveModern('reject')) } });
  const { server } = await discover('upgraded');
  expect(server).toMatchObject({ era: 'modern', discovery: { status: 'ok' } });
});

test('servers are found by slug, name, url and tag, page by page', async () => {
  for (const [slug, tags] of [
    ['alpha', ['scm']],
    ['beta', ['chat', 'Team:Core']],
    ['gamma', []],
  ] as const) {
    await register(slug, `https://${slug}.example.com/mcp`, { tags, environment: slug === 'gamma' ? 'prod' : null, name: `The ${slug}` });
  }
  const slugs = async (query: string) => (await own.call('GET', `/v1/servers?${query}`)).body.items.map(({ slug }: { slug: string }) => slug);
  expect(await slugs('')).toEqual(['alpha', 'beta', 'gamma']);
  expect(await slugs('q=team:core')).toEqual(['beta']);
  expect(await slugs('q=GAMMA.example')).toEqual(['gamma']);
  expect(await slugs('q=%25')).toEqual([]);
  expect(await slugs('tag=scm')).toEqual(['alpha']);
  expect(await slugs('environment=prod')).toEqual(['gamma']);
  expect(await slugs('enabled=false')).toEqual([]);
  const first = (await own.call('GET', '/v1/servers?limit=2')).body;
  expect(first.items).toHaveLength(2);
  expect(await slugs(`limit=2&cursor=${first.nextCursor}`)).toEqual(['gamma']);
});

test('a server that offers more than is taken says so, and where its list was cut', async () => {
  const tools = Array.from({ length: 1500 }, (_, at) => rawTool(`t${at}`)).join();
  await register('vast', await open(serveRaw(() => ({ tools }))));
  await discover('vast');
  const problem = { kind: 'tool', index: 1000, reason: 'of 1500 definitions the first 1000 are taken', cut: true };
  const { discovery, next } = (await own.call('GET', '/v1/servers/vast')).body;
  expect(discovery.problems).toEqual([problem]);
  expect(next.join()).toContain('It offers more than is taken of one server');
});

test('bad registrations are refused with the fault named, and nothing half-written', async () => {
  const url = 'https://x.example.com/mcp';
  expect((await register('taken', url)).status).toBe(201);
  expect((await register('taken', url)).status).toBe(409);
  const pointer = async (body: object) => {
    const answer = await own.call('POST', '/v1/servers', body);
    expect(answer.status).toBe(400);
    return answer.body.errors[0].pointer;
  };
  expect(await pointer({ slug: 'portcullis', url })).toBe('/slug');
  expect(await pointer({ slug: 'a', url: 'ftp://x.example.com' })).toBe('/url');
  expect(await pointer({ slug: 'a', url: 'https://user:secret@x.example.com/' })).toBe('/url');
  expect(await pointer({ slug: 'a', url: 'http://127.0.0.1:6379/' })).toBe('/url');
  expect(await pointer({ slug: 'a', url, approve: 'some' })).toBe('/approve');
  expect(await pointer({ slug: 'a', url, colour: 'red' })).toBe('/colour');
  expect(await own.database.server.count()).toBe(1);
  const unknown = '0199aaaa-0000-7000-8000-00000000abcd';
  for (const path of ['', '/definitions']) expect((await own.call('GET', `/v1/servers/nowhere${path}`)).status).toBe(404);
  expect((await own.call('POST', '/v1/servers/nowhere/discovery')).status).toBe(404);
  expect((await own.call('POST', '/v1/servers/taken/definitions/approve', { definitions: [{ id: unknown }] })).status).toBe(404);
  expect((await own.call('POST', '/v1/servers/taken/definitions/approve', {})).status).toBe(400);
  for (const write of [
    own.call('POST', '/v1/servers', { slug: 'b', url }, own.auditor),
    own.call('DELETE', '/v1/servers/taken', undefined, own.auditor),
  ]) {
    expect((await write).status).toBe(403);
  }
});

test('deleting a server takes its definitions and grants along', async () => {
  const { body } = await register('doomed', await open(serveLegacy()), { approve: 'all' });
  await discover('doomed');
  const agent = await own.database.agent.create({ data: { slug: 'agent', name: 'agent' } });
  await own.database.grant.create({ data: { agentId: agent.id, serverId: body.id, names: ['*'], createdBy: 'test' } });
  const deleted = await own.call('DELETE', '/v1/servers/doomed');
  expect(deleted.status).toBe(204);
  expect(await own.database.definition.count()).toBe(0);
  expect(await own.database.grant.count()).toBe(0);
  const dirty = await own.database.dirtyBucket.findMany({
    where: { revision: Number(deleted.headers['x-policy-revision']) },
    orderBy: { kind: 'asc' },
  });
  expect(dirty.map(({ kind }) => kind)).toEqual(['servers', 'grants']);
});

test('an address that holds a key or token is refused, and kept nowhere', async () => {
  const secret = 'sk-abcdefghijklmnop1234';
  await register('plain', 'https://plain.example.com/mcp');
  for (const url of [`https://x.example.com/mcp?api_key=${secret}`, `https://x.example.com/${secret}/mcp`]) {
    for (const refused of [await register('leaky', url), await own.call('PATCH', '/v1/servers/plain', { url })]) {
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/url']);
      expect(refused.text).not.toContain(secret);
    }
  }
  expect(JSON.stringify(await own.database.server.findMany())).not.toContain(secret);
});
