import { PolicyFile } from '@portcullis/contracts/api/policy-file';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify as write } from 'yaml';
import { importFile } from '../testing/import-file.js';
import { registerWithTools } from '../testing/register-with-tools.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let other: TestApp;
const servers = ['github', 'mail', 'files'];

async function define(app: TestApp): Promise<void> {
  for (const slug of servers) await registerWithTools(app, slug, { approved: ['read', 'write', 'wipe'] });
}

beforeAll(async () => {
  [own, other] = await Promise.all([startTestApp(), startTestApp()]);
  await Promise.all([define(own), define(other)]);
});
afterAll(async () => {
  await Promise.all([own.close(), other.close()]);
});

const stringify = (file: unknown): string => write(file, { aliasDuplicateObjects: false });
const exported = async (app = own): Promise<string> => (await app.call('GET', '/v1/policy/export')).text;

const send = async (text: string, query = '', app = own, token = app.admin): Promise<Answer> => importFile(app, text, query, token);

const agents = ['ann', 'ben', 'cleo'];
const slugs = fc.uniqueArray(fc.constantFrom(...agents));
const text = fc.string({ minLength: 1, maxLength: 20 }).filter((value) => !/[\0\p{Surrogate}]/u.test(value));

const aGrant = fc
  .record({
    subject: fc.oneof(
      fc.constantFrom(...agents).map((agent) => ({ agent })),
      fc.constantFrom('team', 'crew').map((group) => ({ group })),
    ),
    target: fc.oneof(
      fc.constantFrom(...servers).map((server) => ({ server })),
      fc.constant({ selector: { tags: { anyOf: ['red'] } } }),
    ),
    names: fc.uniqueArray(fc.constantFrom('read', 'w*', '*', 'no', '1e3', '"#'), { minLength: 1 }),
    effect: fc.constantFrom('allow', 'allow', 'deny'),
    expiresAt: fc.constantFrom(undefined, '2040-05-06T07:08:09Z'),
    reason: fc.option(text, { nil: undefined }),
  })
  .map(({ subject, target, ...grant }) => ({ ...subject, ...target, ...grant }));

const aRule = fc
  .record({
    subject: fc.constantFrom({ agent: 'ann' }, { group: 'team' }),
    target: fc.constantFrom({ server: 'github' }, { selector: { tags: { anyOf: ['red'] } } }, { selector: {} }),
    kind: fc.constantFrom('tools', 'prompts'),
    names: fc.uniqueArray(fc.constantFrom('read', 'w*', '*'), { minLength: 1 }),
    durationSecondsMax: fc.constantFrom(undefined, 3600),
    reason: fc.option(text, { nil: undefined }),
  })
  .map(({ subject, target, ...rule }) => ({ ...subject, ...target, ...rule }));

const aLimit = fc
  .record({
    subject: fc.oneof(
      fc.constantFrom({ agent: 'ann' }, { group: 'team' }, { server: 'mail' }),
      fc.uniqueArray(fc.constantFrom('read', 'w*'), { minLength: 1 }).map((tools) => ({ server: 'github', tools })),
    ),
    terms: fc.constantFrom({ kind: 'rate', calls: 5, perSeconds: 60 }, { kind: 'quota', calls: 9, per: 'month' }, { kind: 'concurrency', calls: 2 }),
    reason: fc.option(text, { nil: undefined }),
  })
  .map(({ subject, ...limit }) => ({ ...subject, ...limit }));

const aFile = fc.record({
  version: fc.constant(1),
  settings: fc.record({ auditLists: fc.boolean() }),
  servers: fc.record(
    Object.fromEntries(
      servers.map((slug) => [
        slug,
        fc.record({ tags: fc.uniqueArray(fc.constantFrom('red', 'blue')), enabled: fc.boolean(), environment: fc.option(text) }),
      ]),
    ),
  ),
  agents: fc.record(Object.fromEntries(agents.map((slug) => [slug, fc.record({ owner: fc.option(text), enabled: fc.boolean() })]))),
  groups: fc.record({ team: fc.record({ members: slugs, name: text }), crew: fc.record({ members: slugs }) }),
  grants: fc.array(aGrant, { maxLength: 6 }),
  requestable: fc.array(aRule, { maxLength: 3 }),
  limits: fc.array(aLimit, { maxLength: 4 }),
});

const access = async (app: TestApp): Promise<unknown> =>
  Promise.all(
    agents.map(async (slug) =>
      (await app.call('GET', `/v1/agents/${slug}/access?limit=200`)).body.items.map(
        ({ ref, effect }: { ref: string; effect: string }) => `${slug} ${ref} ${effect}`,
      ),
    ),
  );

test('any policy survives the way out and in again: nothing changes here, and elsewhere it gives the same access and the same file', async () => {
  const property = fc.asyncProperty(aFile, async (wanted) => {
    const made = await send(stringify(wanted), '?prune=true');
    expect(made.status, made.text).toBe(200);
    const file = await exported();
    expect(PolicyFile.parse(parse(file)).requestable?.length).toBeLessThanOrEqual(wanted.requestable.length);
    expect(PolicyFile.parse(parse(file)).grants?.length).toBeLessThanOrEqual(wanted.grants.length);
    expect(PolicyFile.parse(parse(file)).limits?.length).toBeLessThanOrEqual(wanted.limits.length);
    for (const query of ['', '?prune=true', '?dryRun=true&prune=true']) {
      const again = await send(file, query);
      expect([again.status, again.body.changed, again.body.revision, again.body.diffTotal], again.text).toEqual([200, 0, made.body.revision, 0]);
    }
    const there = await send(file, '?prune=true', other);
    expect(there.status, there.text).toBe(200);
    expect(await access(other)).toEqual(await access(own));
    const withoutIds = (yaml: string): string => yaml.replaceAll(/^ +id: .*\n/gm, '');
    expect(withoutIds(await exported(other))).toBe(withoutIds(file));
    expect((await send(file, '?prune=true', other)).body.changed).toBe(0);
  });
  await fc.assert(property, { numRuns: 4 });
}, 60_000);

test('an import is one revision with its diff, told beforehand by a dry run, and can be reverted', async () => {
  await send(
    stringify({
      version: 1,
      agents: { ann: {}, ben: {}, cleo: {} },
      groups: { team: { members: ['ann'] } },
      grants: [{ group: 'team', server: 'github', names: ['read'] }],
    }),
    '?prune=true',
  );
  await own.call('PATCH', '/v1/servers/github', { enabled: true });
  const before = await exported();
  const edited = before.replace('- ann', '- ann\n      - ben').replace('- read', '- read\n      - write');
  const told = await send(edited, '?dryRun=true');
  expect(told.status, told.text).toBe(200);
  expect(told.body.preview).toMatchObject({ gained: { count: 3 }, lost: { count: 0 } });
  expect(told.body.diff.map(({ kind, operation }: Record<string, string>) => `${kind} ${operation}`)).toEqual([
    'group member created',
    'grant updated',
  ]);
  expect(await exported()).toBe(before);
  const done = await send(edited, '?reason=quarterly%20review');
  expect(done.body).toMatchObject({ revision: told.body.revision + 1, changed: 2, diff: told.body.diff, preview: null });
  expect(await exported()).toBe(edited);
  const revision = await own.call('GET', `/v1/revisions/${done.body.revision}`);
  expect(revision.body).toMatchObject({ action: 'policy.imported', reason: 'quarterly review', diffTotal: 2 });
  expect((await own.call('POST', `/v1/revisions/${done.body.revision}/revert`, { reason: 'not yet' })).status).toBe(200);
  expect(await exported()).toBe(before);
});

test('what a file does not name stays, unless it is pruned, and then only in the sections that it has', async () => {
  const before = await exported();
  const part = stringify({ version: 1, agents: { dora: {} } });
  expect((await send(part)).body.changed).toBe(1);
  expect((await own.call('GET', '/v1/agents/ann')).status).toBe(200);
  const pruned = await send(part, '?prune=true');
  expect(pruned.body.changed).toBe(3);
  expect((await own.call('GET', '/v1/agents?limit=9')).body.items.map(({ slug }: { slug: string }) => slug)).toEqual(['dora']);
  expect((await own.call('GET', '/v1/groups/team')).status).toBe(200);
  expect((await send(before, '?prune=true')).status).toBe(200);
});

test('a file that cannot be is refused whole: unknown servers, no YAML, another type, another route, too large', async () => {
  const before = await exported();
  const unknown = await send(stringify({ version: 1, agents: { eve: {} }, grants: [{ agent: 'eve', server: 'nowhere', names: ['x'] }] }));
  expect([unknown.status, unknown.body.errors[0].detail]).toEqual([404, 'There is no such server.']);
  expect((await send('version: [')).status).toBe(400);
  expect((await send(before, '?prune=yes')).status).toBe(400);
  expect((await send(before, '', own, own.auditor)).status).toBe(403);
  expect(
    (
      await own.app.inject({
        method: 'POST',
        url: '/v1/agents',
        headers: { authorization: `Bearer ${own.admin}`, 'content-type': 'application/yaml' },
        payload: 'slug: x',
      })
    ).statusCode,
  ).toBe(415);
  expect((await send('#'.repeat(9_000_000))).status).toBe(413);
  expect(await exported()).toBe(before);
});

test('what may be asked for is part of the file: changed by its id, told by a dry run, pruned with its section, and reverted', async () => {
  const before = await exported();
  const rule = { group: 'team', server: 'github', names: ['read'], durationSecondsMax: 7200 };
  const file = { version: 1, agents: { ann: {} }, groups: { team: {} }, requestable: [rule] };
  const added = await send(stringify(file));
  expect(added.status, added.text).toBe(200);
  const { items } = (await own.call('GET', '/v1/requestable?limit=50')).body;
  const made = items.find(({ durationSecondsMax }: { durationSecondsMax: number }) => durationSecondsMax === 7200);
  expect(made).toMatchObject({ subject: { group: 'team' }, server: 'github', names: ['read'] });
  const changed = stringify({ version: 1, requestable: [{ ...rule, id: made.id, names: ['read', 'w*'] }] });
  const told = await send(changed, '?dryRun=true&prune=true');
  expect(told.body.diff.at(-1)).toMatchObject({ kind: 'requestable', id: made.id, operation: 'updated', after: { names: ['read', 'w*'] } });
  const done = await send(changed, '?prune=true');
  expect(done.body.diff, done.text).toEqual(told.body.diff);
  expect(PolicyFile.parse(parse(await exported())).requestable).toHaveLength(1);
  const drafted = await own.call('POST', '/v1/policy/apply', { changes: [{ do: 'requestable.delete', id: made.id }], reason: 'no more' });
  expect([drafted.status, drafted.body.changed], drafted.text).toEqual([200, 1]);
  expect(parse(await exported()).requestable).toEqual([]);
  for (const { body } of [drafted, done, added]) {
    const reverted = await own.call('POST', `/v1/revisions/${body.revision}/revert`, { reason: 'back' });
    expect(reverted.status, reverted.text).toBe(200);
  }
  expect(await exported()).toBe(before);
});

test('limits are part of the file: found by what they are about, changed by their id, pruned with their section', async () => {
  await send(stringify({ version: 1, limits: [] }), '?prune=true');
  const before = await exported();
  const rate = (calls: number) => ({ kind: 'rate', calls, perSeconds: 60 });
  const limits = [
    { server: 'github', tools: ['w*', 'read'], terms: rate(5) },
    { group: 'crew', terms: rate(7) },
  ];
  const added = await send(stringify({ version: 1, groups: { crew: {} }, limits }));
  expect(added.status, added.text).toBe(200);
  const [ofTools, ofGroup] = parse(await exported()).limits;
  expect([ofTools, ofGroup]).toMatchObject([{ server: 'github', tools: ['read', 'w*'] }, { group: 'crew' }]);
  const changed = stringify({ version: 1, limits: [{ ...ofTools, tools: ['read'], terms: rate(6) }] });
  const told = await send(changed, '?dryRun=true&prune=true');
  expect(told.body.preview.limits.items, told.text).toEqual([
    expect.objectContaining({ id: ofGroup.id, before: rate(7), after: null }),
    expect.objectContaining({ id: ofTools.id, before: rate(5), after: rate(6) }),
  ]);
  const done = await send(changed, '?prune=true');
  expect([done.body.changed, done.body.diff], done.text).toEqual([2, told.body.diff]);
  expect(parse(await exported()).limits).toEqual([{ ...ofTools, tools: ['read'], terms: rate(6) }]);
  const refused = await send(stringify({ version: 1, limits: [{ agent: 'ann', tools: ['read'], terms: rate(1) }] }));
  expect([refused.status, refused.body.errors[0].pointer], refused.text).toEqual([400, '/limits/0/tools']);
  for (const { body } of [done, added])
    expect((await own.call('POST', `/v1/revisions/${body.revision}/revert`, { reason: 'back' })).status).toBe(200);
  expect(await exported()).toBe(before);
});

test('more changes than one import may make are refused with their number before any is made', async () => {
  const before = await exported();
  const agentsOf = (count: number): unknown => Object.fromEntries(Array.from({ length: count }, (_, at) => [`many-${at}`, {}]));
  const refused = await send(stringify({ version: 1, agents: agentsOf(20_001) }));
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('The file would make 20001 changes; 20000 at a time')]);
  expect(await exported()).toBe(before);
});
