import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let serverId: string;
let grantId: string;

const json = Buffer.from('{}');
const definition = (name: string, state: 'approved' | 'pending' | 'changed' | 'rejected') => ({
  serverId,
  kind: 'tool' as const,
  name,
  state,
  json,
  hash: 'a'.repeat(64),
  ...(state === 'approved' || state === 'changed' ? { approvedJson: json, approvedHash: 'a'.repeat(64) } : {}),
});

beforeAll(async () => {
  own = await startTestApp();
  const server = { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp', discoveredAt: new Date() };
  serverId = (await own.database.server.create({ data: server })).id;
  const tools = [
    definition('create_issue', 'approved'),
    definition('list_repos', 'approved'),
    definition('merge', 'pending'),
    definition('fork', 'changed'),
  ];
  await own.database.definition.createMany({ data: [...tools, definition('purge', 'rejected')] });
  await own.database.definition.createMany({ data: [{ ...definition('guide', 'approved'), kind: 'prompt' }] });
  await own.database.definition.createMany({ data: [{ ...definition('file:///notes', 'approved'), kind: 'resource' }] });
  await own.call('POST', '/v1/agents', { slug: 'dev' });
  await own.call('POST', '/v1/agents', { slug: 'nobody' });
  await own.call('POST', '/v1/groups', { slug: 'team' });
  grantId = (await own.call('POST', '/v1/grants', { agent: 'dev', server: 'github', names: ['create_issue', 'merge', 'fork', 'missing'] })).body.id;
});
afterAll(() => own.close());

const access = async (query = '') => (await own.call('GET', `/v1/agents/dev/access${query}`, undefined, own.auditor)).body;
const refs = async (query = '') => (await access(query)).items.map(({ ref }: { ref: string }) => ref);

test('effective access is what is granted and approved, under the names the agent sees', async () => {
  const { items, hints } = await access();
  expect(items).toEqual([
    {
      ref: 'github:create_issue',
      kind: 'tools',
      wireName: 'github__create_issue',
      effect: 'allow',
      grantId,
      group: null,
      condition: null,
      expiresAt: null,
    },
  ]);
  expect(hints.join('\n')).toMatch(/1 granted definition of github is waiting for approval: POST \/v1\/servers\/github\/definitions\/approve/);
  expect(hints.join('\n')).toMatch(/1 granted definition of github is changed since approval/);
  expect(hints.join('\n')).toMatch(/was not seen to offer missing/);
});

test('a grant to a group speaks to its members, and a denying grant outweighs it', async () => {
  await own.call('PUT', '/v1/groups/team/members/dev');
  for (const kind of ['tools', 'prompts', 'resources']) await own.call('POST', '/v1/grants', { group: 'team', server: 'github', kind, names: ['*'] });
  expect(await refs()).toEqual(['github:guide', 'github:file:///notes', 'github:create_issue', 'github:list_repos']);
  expect((await access('?kind=resources')).items[0].wireName).toBe('file:///notes');
  expect(await refs('?kind=prompts')).toEqual(['github:guide']);
  const page = await access('?limit=3');
  expect((await access(`?limit=3&cursor=${page.nextCursor}`)).items.map(({ ref }: { ref: string }) => ref)).toEqual(['github:list_repos']);
  const deny = await own.call('POST', '/v1/grants', { agent: 'dev', server: 'github', names: ['list_*'], effect: 'deny' });
  expect(await refs('?kind=tools')).toEqual(['github:create_issue']);
  await own.call('PATCH', '/v1/agents/dev', { toolNameStyle: 'dot' });
  expect((await access('?kind=tools')).items[0].wireName).toBe('github.create_issue');
  await own.call('DELETE', `/v1/grants/${deny.body.id}`);
});

test('an agent that sees nothing tells its operator why', async () => {
  const { body } = await own.call('GET', '/v1/agents/nobody/access');
  expect([body.items, body.nextCursor]).toEqual([[], null]);
  expect(body.hints.join('\n')).toContain('No grant speaks to nobody');
  await own.database.server.update({ where: { id: serverId }, data: { enabled: false } });
  expect(await refs()).toEqual([]);
  expect((await access()).hints.join('\n')).toContain('The server github is disabled');
  await own.database.server.update({ where: { id: serverId }, data: { enabled: true } });
  await own.call('PATCH', '/v1/agents/dev', { enabled: false });
  expect(await refs()).toEqual([]);
  expect((await access()).hints.join('\n')).toContain('The agent dev is disabled');
  await own.call('PATCH', '/v1/agents/dev', { enabled: true });
});

test('explain says whether, why, by which grant and at which revision', async () => {
  const explain = async (body: object) => (await own.call('POST', '/v1/policy/explain', body, own.auditor)).body;
  const { revision } = await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
  expect(await explain({ agent: 'dev', target: 'github:create_issue' })).toMatchObject({ effect: 'allow', visible: true, revision, hints: [] });
  const narrowed = { agent: 'dev', target: 'github:create_issue', task: { tools: ['github:list_issues'] } };
  expect(await explain(narrowed)).toMatchObject({ effect: 'deny', visible: false });
  expect((await explain({ ...narrowed, task: { servers: ['git*'] } })).effect).toBe('allow');
  const pending = await explain({ agent: 'dev', target: 'github:merge', arguments: { title: 'x' } });
  expect(pending).toMatchObject({ effect: 'deny', visible: false });
  expect(pending.hints).toContain('Approve github:merge.');
  const codes = async (body: object) => (await explain(body)).steps.map(({ code }: { code: string }) => code);
  expect(await codes({ agent: 'ghost', target: 'github:merge' })).toContain('agent_unknown');
  expect(await codes({ agent: 'dev', target: 'gitlab:merge' })).toContain('server_unknown');
  expect(await codes({ agent: 'nobody', target: 'github:create_issue' })).toContain('no_grant');
  expect(await codes({ agent: 'dev', target: 'github:file:///notes', kind: 'resources' })).toContain('definition_approved');
});

test('a URI is explained as nodes decide it: through the template it comes from, less what denies it', async () => {
  const [approved, pending] = [definition('docs://{name}', 'approved'), definition('new://{name}', 'pending')];
  await own.database.definition.createMany({ data: [approved, pending].map((template) => ({ ...template, kind: 'resource_template' as const })) });
  await own.call('POST', '/v1/agents', { slug: 'reader' });
  const of = async (more: object) =>
    (await own.call('POST', '/v1/grants', { agent: 'reader', server: 'github', kind: 'resources', ...more })).body.id;
  const explain = async (uri: string) =>
    (await own.call('POST', '/v1/policy/explain', { agent: 'reader', target: `github:${uri}`, kind: 'resources' })).body;
  const granting = await of({ names: ['docs://{name}'] });
  expect(await explain('docs://a')).toMatchObject({ effect: 'allow', visible: true, grantId: granting, hints: [] });
  const steps = (await explain('docs://a')).steps.map(({ code, text }: Record<string, string>) => `${code}: ${text}`);
  expect(steps).toContain('from_template: docs://a comes from the template docs://{name}.');
  expect(steps.at(-1)).toBe('granted: reader may use github:docs://a.');
  const denying = await of({ names: ['docs://%61'], effect: 'deny' });
  expect(await explain('docs://a')).toMatchObject({ effect: 'deny', visible: false, grantId: denying });
  expect((await explain('docs://a')).steps.map(({ code }: { code: string }) => code)).toContain('grant_denies');
  expect(await explain('docs://{name}')).toMatchObject({ effect: 'allow', grantId: granting });
  expect((await explain('docs://%62')).hints).toContain('From templates come only URIs in their normal form: docs://b.');
  expect((await explain('new://a')).steps.map(({ code }: { code: string }) => code)).toContain('definition_pending');
});

test('access and explain know what selectors select, what arguments decide, and the grant that comes nearest', async () => {
  const explain = async (body: object) => (await own.call('POST', '/v1/policy/explain', body)).body;
  await own.call('POST', '/v1/agents', { slug: 'selected' });
  const of = async (more: object) => (await own.call('POST', '/v1/grants', { agent: 'selected', names: ['*'], ...more })).body.id;
  const selecting = await of({ selector: { tags: { anyOf: ['scm'] } }, condition: 'args.repo == "acme/x"' });
  const seen = async () => (await own.call('GET', '/v1/agents/selected/access')).body.items;
  expect(await seen()).toEqual([]);
  const target = 'github:create_issue';
  expect((await explain({ agent: 'selected', target })).hints.join()).toContain(
    `Grant ${selecting} names it, on servers with {"tags":{"anyOf":["scm"]}}`,
  );
  await own.call('PATCH', '/v1/servers/github', { tags: ['scm'] });
  expect(await seen()).toMatchObject([
    { ref: 'github:create_issue', effect: 'conditional', grantId: selecting },
    { ref: 'github:list_repos', effect: 'conditional' },
  ]);
  expect(await explain({ agent: 'selected', target })).toMatchObject({ effect: 'conditional', visible: true });
  expect(await explain({ agent: 'selected', target, arguments: { repo: 'acme/x' } })).toMatchObject({ effect: 'allow', grantId: selecting });
  const refused = await explain({ agent: 'selected', target, arguments: { repo: 'evil/x' } });
  expect(refused).toMatchObject({ effect: 'deny', visible: true, grantId: selecting });
  expect(refused.steps.map(({ code }: { code: string }) => code)).toContain('condition_false');
  const shadow = await of({ server: 'github', mode: 'shadow' });
  await own.call('DELETE', `/v1/grants/${selecting}`);
  expect((await explain({ agent: 'selected', target })).hints.join()).toContain(`Grant ${shadow} would allow it, but its mode is shadow`);
  await of({ selector: { annotations: { readOnlyHint: true } } });
  expect(await seen()).toEqual([]);
  await own.call('PATCH', '/v1/servers/github', { tags: [] });
});

test('access and explain agree on every definition', async () => {
  const seen = new Set(await refs('?kind=tools'));
  for (const { name } of await own.database.definition.findMany({ where: { kind: 'tool' } })) {
    const { body } = await own.call('POST', '/v1/policy/explain', { agent: 'dev', target: `github:${name}` });
    expect(body.visible, `${name}`).toBe(seen.has(`github:${name}`));
  }
});

test('the list says through which group something is granted, on what condition and until when, and pages behind the longest address', async () => {
  const { id } = (await own.call('POST', '/v1/agents', { slug: 'lister' })).body;
  await own.call('POST', '/v1/groups', { slug: 'listers' });
  await own.call('PUT', '/v1/groups/listers/members/lister');
  const server = (await own.call('POST', '/v1/servers', { slug: 'library', url: 'https://library.example.com/mcp' })).body.id;
  const uris = ['a', 'b'].map((name) => `file:///${'x'.repeat(2000)}/${name}`);
  for (const [kind, name] of [['tool', 'query'], ...uris.map((uri) => ['resource', uri])] as ['tool', string][]) {
    const json = Buffer.from(JSON.stringify({ name, uri: name }));
    const definition = { serverId: server, kind, name, json, hash: 'h', state: 'approved' as const, approvedJson: json, approvedHash: 'h' };
    await own.database.definition.create({ data: definition });
  }
  const terms = { condition: 'args.limit < 10', expiresAt: '2040-01-01T00:00:00.000Z' };
  await own.call('POST', '/v1/grants', { group: 'listers', server: 'library', names: ['*'], ...terms });
  await own.call('POST', '/v1/grants', { agent: id, server: 'library', kind: 'resources', names: ['*'] });
  const tools = await own.call('GET', '/v1/agents/lister/access?kind=tools');
  expect(tools.body.items).toMatchObject([{ ref: 'library:query', effect: 'conditional', group: 'listers', ...terms }]);
  const first = await own.call('GET', '/v1/agents/lister/access?limit=1');
  const second = await own.call('GET', `/v1/agents/lister/access?limit=1&cursor=${first.body.nextCursor}`);
  expect([first, second].map(({ body }) => body.items[0].ref)).toEqual(uris.map((uri) => `library:${uri}`));
  expect(first.body.items[0]).toMatchObject({ effect: 'allow', group: null, condition: null, expiresAt: null });
});
