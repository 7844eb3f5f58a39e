import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { byText } from './access-diff.js';
import { registerWithTools } from '../testing/register-with-tools.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';

let own: TestApp;
let store: StoreCalls;
const ids: Record<string, string> = {};

beforeAll(async () => {
  own = await startTestApp();
  store = callStore(own.database);
  for (const slug of ['ann', 'ben', 'cleo']) ids[slug] = (await own.call('POST', '/v1/agents', { slug })).body.id;
  await own.call('POST', '/v1/groups', { slug: 'team' });
  for (const slug of ['ann', 'ben']) await own.call('PUT', `/v1/groups/team/members/${slug}`);
  for (const slug of ['github', 'mail']) {
    ids[slug] = await registerWithTools(own, slug, { approved: ['read', 'write', 'wipe'], pending: ['fresh'] });
  }
});
afterAll(() => own.close());

const preview = (changes: unknown[], query = '', days = 0): Promise<Answer> => own.call('POST', `/v1/policy/preview${query}`, { changes, days });
const pairs = (list: { items: { agent: string; ref: string }[] }): string[] => list.items.map(({ agent, ref }) => `${agent} ${ref}`);

/** What every agent may use, as each one's own list says. */
async function everything(): Promise<string[]> {
  const lists = await Promise.all(
    ['ann', 'ben', 'cleo'].map(async (slug) =>
      (await own.call('GET', `/v1/agents/${slug}/access?limit=200`)).body.items.map(({ ref }: { ref: string }) => `${slug} ${ref}`),
    ),
  );
  return lists.flat().sort(byText);
}

const grantToTeam = { do: 'grant.create', grant: { group: 'team', server: 'github', names: ['read', 'w*'] } };

test('a draft tells exactly who gains and loses what, and applying it does exactly that, in one revision', async () => {
  const alone = await own.call('POST', '/v1/grants', { agent: 'ann', server: 'mail', names: ['*'] });
  const steps: unknown[][] = [
    [grantToTeam, { do: 'group-member.add', group: 'team', agent: 'cleo' }],
    [{ do: 'grant.create', grant: { agent: 'ben', server: 'github', names: ['wipe'], effect: 'deny' } }],
    [
      { do: 'agent.update', agent: 'ann', change: { enabled: false } },
      { do: 'group-member.remove', group: 'team', agent: 'ben' },
    ],
    [
      { do: 'agent.update', agent: 'ann', change: { enabled: true } },
      { do: 'server.update', server: 'mail', change: { enabled: false, tags: ['old'] } },
    ],
    [
      { do: 'server.update', server: 'mail', change: { enabled: true } },
      { do: 'definitions.approve', server: 'mail', definitions: { all: true } },
    ],
    [
      { do: 'grant.update', id: alone.body.id, change: { names: ['read'] } },
      { do: 'group-member.add', group: 'team', agent: 'ben' },
    ],
    [
      { do: 'grant.delete', id: alone.body.id },
      { do: 'group.delete', group: 'team' },
      { do: 'group.create', group: { slug: 'team' } },
    ],
  ];
  for (const changes of steps) {
    const before = await everything();
    const told = await preview(changes);
    expect(told.status, told.text).toBe(200);
    expect(await everything()).toEqual(before);
    const rehearsed = await own.call('POST', '/v1/policy/apply?dryRun=true', { changes, reason: 'a try' });
    expect(rehearsed.body, rehearsed.text).toMatchObject({ revision: told.body.revision, preview: { gained: { count: told.body.gained.count } } });
    const applied = await own.call('POST', '/v1/policy/apply', { changes, reason: 'a step' });
    expect([applied.status, applied.body], applied.text).toMatchObject([
      200,
      { revision: told.body.revision + 1, changed: changes.length, preview: null },
    ]);
    const after = await everything();
    expect(pairs(told.body.gained).sort(byText)).toEqual(after.filter((pair) => !before.includes(pair)));
    expect(pairs(told.body.lost).sort(byText)).toEqual(before.filter((pair) => !after.includes(pair)));
    expect([told.body.gained.count, told.body.lost.count]).toEqual([told.body.gained.items.length, told.body.lost.items.length]);
    const again = await own.call('POST', `/v1/revisions/${applied.body.revision}/revert`, { reason: 'back' });
    expect(again.status, again.text).toBe(200);
    expect(await everything()).toEqual(before);
    await own.call('POST', `/v1/revisions/${Number(again.headers['x-policy-revision'])}/revert`, { reason: 'and forth' });
    expect(await everything()).toEqual(after);
  }
});

test('a preview leaves no trace: no row, no revision, no event', async () => {
  const count = async (): Promise<unknown> => [
    await own.database.grant.count(),
    await own.database.policyRowChange.count(),
    await own.database.revision.count(),
    await own.database.auditEvent.count(),
    await own.database.dirtyBucket.count({ where: { revision: { lte: 0 } } }),
  ];
  const before = await count();
  expect((await preview([grantToTeam])).status).toBe(200);
  expect((await own.call('POST', '/v1/policy/apply?dryRun=true', { changes: [grantToTeam], reason: 'x' })).status).toBe(200);
  expect(await count()).toEqual(before);
});

test('a preview holds no row that it would change while it finds out whom that concerns', async () => {
  const previewed = await own.database.$transaction(
    async (tx) => {
      const [{ pid } = { pid: 0 }] = await tx.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      await tx.$executeRaw`LOCK TABLE access_grant IN ACCESS EXCLUSIVE MODE`;
      const answer = preview([{ do: 'server.update', server: 'mail', change: { tags: ['looked-at'] } }]);
      await vi.waitFor(async () => {
        const looking = await own.database.$queryRaw<unknown[]>`SELECT 1 FROM pg_stat_activity
          WHERE ${pid}::int = ANY(pg_blocking_pids(pid)) AND query LIKE 'SELECT DISTINCT agent_id%'`;
        expect(looking).toHaveLength(1);
      }, 20_000);
      await own.database.$transaction(async (other) => {
        await other.$executeRaw`SET LOCAL lock_timeout = '3s'`;
        await other.server.update({ where: { slug: 'mail' }, data: { discoveredAt: new Date() } });
      });
      return { answer };
    },
    { timeout: 30_000 },
  );
  expect((await previewed.answer).status).toBe(200);
});

test('pages follow one another at one revision, and stop when policy has moved on', async () => {
  await own.call('PUT', '/v1/groups/team/members/ann');
  const changes = [
    { do: 'grant.create', grant: { group: 'team', server: 'mail', names: ['*'] } },
    { do: 'group-member.add', group: 'team', agent: 'cleo' },
  ];
  const whole = await preview(changes);
  const seen: string[] = [];
  let query = '?limit=2';
  for (;;) {
    const { status, body } = await preview(changes, query);
    expect(status).toBe(200);
    seen.push(...pairs(body.gained));
    expect(body.gained.count).toBe(whole.body.gained.count);
    if (body.gained.nextCursor === null) break;
    query = `?limit=2&cursor=${body.gained.nextCursor}`;
  }
  expect(seen).toEqual(pairs(whole.body.gained));
  const first = await preview(changes, '?limit=1');
  const cursor = `?limit=1&cursor=${first.body.gained.nextCursor}`;
  expect((await preview([grantToTeam], cursor)).status).toBe(400);
  await own.call('POST', '/v1/agents', { slug: 'meanwhile' });
  const late = await preview(changes, cursor);
  expect([late.status, late.body.type]).toEqual([409, 'urn:portcullis:problem:conflict']);
});

test('a draft that cannot be made is refused whole, with the change that is at fault', async () => {
  const { revision } = await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
  const changes = [grantToTeam, { do: 'grant.create', grant: { agent: 'nobody', server: 'github', names: ['x'] } }];
  for (const url of ['/v1/policy/preview', '/v1/policy/apply', '/v1/policy/apply?dryRun=true']) {
    const answer = await own.call('POST', url, url.endsWith('preview') ? { changes } : { changes, reason: 'x' });
    expect([answer.status, answer.body.errors], url).toEqual([404, [{ pointer: '/changes/1', detail: 'There is no such agent.' }]]);
  }
  const malformed = await own.call('POST', '/v1/policy/apply', { changes: [{ do: 'grant.delete', id: 'x' }], reason: 'x' });
  expect([malformed.status, malformed.body.errors[0].pointer]).toEqual([400, '/changes/0/id']);
  expect((await own.call('POST', '/v1/policy/apply?dryrun=true', { changes: [grantToTeam], reason: 'x' })).status).toBe(400);
  expect((await own.call('POST', '/v1/policy/apply', { changes: [grantToTeam], reason: 'x' }, own.auditor)).status).toBe(403);
  expect((await preview([grantToTeam]).then(() => own.call('POST', '/v1/policy/preview', { changes: [grantToTeam] }, own.auditor))).status).toBe(200);
  expect((await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision).toBe(revision);
});

/** A recorded call at github. */
const record = (agent: string, tool: string, more: StoredCall = {}): Promise<string[]> =>
  store([{ agent, tool, agentId: ids[agent] ?? '', server: 'github', serverId: ids['github'] ?? '', ...more }]);
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

test('recorded calls that would be decided otherwise are counted, with samples', async () => {
  await own.call('POST', '/v1/agents', { slug: 'dora' });
  ids['dora'] = (await own.call('GET', '/v1/agents/dora')).body.id;
  const grant = await own.call('POST', '/v1/grants', { agent: 'dora', server: 'github', names: ['read', 'write'] });
  for (let at = 0; at < 3; at += 1) await record('dora', 'write', { args: '{}' });
  await record('dora', 'read', { args: '{}' });
  await record('dora', 'wipe', { status: 'denied' });
  await record('dora', 'write', { at: daysAgo(20) });
  const { body } = await preview([{ do: 'grant.update', id: grant.body.id, change: { names: ['read', 'wipe'] } }], '', 7);
  expect(body.calls).toMatchObject({ days: 7, calls: 5, allowedToDenied: 3, deniedToAllowed: 1, undecidable: 0, unexamined: 0 });
  expect(body.calls.samples.map(({ ref, before, after, recorded }: Record<string, string>) => [ref, recorded, before, after])).toEqual([
    ['github:wipe', 'deny', 'deny', 'allow'],
    ['github:write', 'allow', 'allow', 'deny'],
  ]);
});

test('recorded reads of what comes from a template are decided as nodes would', async () => {
  await own.call('POST', '/v1/agents', { slug: 'tess' });
  ids['tess'] = (await own.call('GET', '/v1/agents/tess')).body.id;
  const json = Buffer.from('{}');
  const template = { serverId: ids['github'] ?? '', kind: 'resource_template' as const, name: 'docs://{name}', json, hash: 't' };
  await own.database.definition.create({ data: { ...template, state: 'approved', approvedJson: json, approvedHash: 't' } });
  await own.call('POST', '/v1/grants', { agent: 'tess', server: 'github', kind: 'resources', names: ['docs://{name}'] });
  for (const name of ['docs://a', 'docs://b', 'docs://{name}']) await record('tess', name, { method: 'resources/read' });
  await record('tess', 'docs://a', { method: 'subscriptions/listen' });
  const deny = { agent: 'tess', server: 'github', kind: 'resources', names: ['docs://a'], effect: 'deny' };
  const { body } = await preview([{ do: 'grant.create', grant: deny }], '', 7);
  expect(body.calls).toMatchObject({ calls: 4, allowedToDenied: 2, deniedToAllowed: 0 });
  expect(new Set(body.calls.samples.map(({ ref }: { ref: string }) => ref))).toEqual(new Set(['github:docs://a']));
});

test('where arguments decide, calls are decided by those that were kept whole, and the others counted apart', async () => {
  await own.call('POST', '/v1/agents', { slug: 'emma' });
  ids['emma'] = (await own.call('GET', '/v1/agents/emma')).body.id;
  const grant = await own.call('POST', '/v1/grants', { agent: 'emma', server: 'github', names: ['write'] });
  for (const args of ['{"repo":"acme/a"}', '{"repo":"acme/b"}', '{"repo":"else/c"}']) await record('emma', 'write', { args });
  await record('emma', 'write', { args: '{"rep', argsHash: 'f'.repeat(64) });
  await record('emma', 'write');
  const { body } = await preview([{ do: 'grant.update', id: grant.body.id, change: { condition: 'args.repo.startsWith("acme/")' } }], '', 7);
  expect(body.calls).toMatchObject({ calls: 5, allowedToDenied: 1, deniedToAllowed: 0, undecidable: 2, unexamined: 0 });
  expect(body.conditional).toMatchObject({ count: 1, items: [{ agent: 'emma', ref: 'github:write', before: 'allow', after: 'conditional' }] });
  expect([body.gained.count, body.lost.count]).toEqual([0, 0]);
});

test('a draft with selectors concerns whatever they select, before and after', async () => {
  await own.call('POST', '/v1/agents', { slug: 'finn' });
  const grant = { agent: 'finn', selector: { tags: { anyOf: ['blue'] } }, names: ['read'] };
  const none = await preview([{ do: 'grant.create', grant }]);
  expect(none.body.gained.count).toBe(0);
  const some = await preview([
    { do: 'grant.create', grant },
    { do: 'server.update', server: 'mail', change: { tags: ['blue'] } },
  ]);
  expect(pairs(some.body.gained)).toEqual(['finn mail:read']);
  await own.call('POST', '/v1/policy/apply', {
    changes: [
      { do: 'grant.create', grant },
      { do: 'server.update', server: 'mail', change: { tags: ['blue'] } },
    ],
    reason: 'x',
  });
  const lost = await preview([{ do: 'server.update', server: 'mail', change: { tags: [] } }]);
  expect(pairs(lost.body.lost)).toEqual(['finn mail:read']);
});

test('limits are drafted like all else, and a preview counts what of the record is beyond them', async () => {
  const quota = (calls: number) => ({ kind: 'quota', calls, per: 'day' });
  for (const slug of ['gus', 'hal']) ids[slug] = (await own.call('POST', '/v1/agents', { slug })).body.id;
  await own.call('POST', '/v1/groups', { slug: 'pair' });
  const old = await own.call('POST', '/v1/limits', { agent: 'gus', terms: quota(3) });
  for (const at of [0, 0, 0, 1, 1, 30]) await record('gus', 'read', { at: daysAgo(at) });
  await record('gus', 'read', { status: 'denied', reason: `rate_limited:${old.body.id}` });
  await record('gus', 'read', { status: 'denied', reason: 'no_grant' });
  await record('gus', 'log', { method: 'logging/setLevel' });
  await record('hal', 'write');
  const changes = [
    { do: 'limit.update', id: old.body.id, change: { terms: quota(1) } },
    { do: 'group-member.add', group: 'pair', agent: 'gus' },
    { do: 'group-member.add', group: 'pair', agent: 'hal' },
    { do: 'limit.create', limit: { group: 'pair', terms: { kind: 'rate', calls: 1, perSeconds: 86_400 } } },
    { do: 'limit.create', limit: { server: 'github', tools: ['nev*'], terms: { kind: 'concurrency', calls: 1 } } },
  ];
  const { body, text } = await preview(changes, '', 7);
  expect(body.limits?.count, text).toBe(3);
  expect([body.gained.count, body.lost.count, body.calls.calls]).toEqual([0, 0, 0]);
  expect(body.limits.items).toEqual([
    { id: old.body.id, subject: { agent: 'gus' }, before: quota(3), after: quota(1), refused: 1, calls: 6, beyond: 4 },
    expect.objectContaining({ id: null, subject: { group: 'pair' }, before: null, refused: 0, calls: 7, beyond: 5 }),
    expect.objectContaining({ subject: { server: 'github', tools: ['nev*'] }, calls: 0, beyond: null }),
  ]);
  const applied = await own.call('POST', '/v1/policy/apply', { changes, reason: 'fewer calls' });
  expect([applied.status, applied.body.changed], applied.text).toEqual([200, 5]);
  expect((await own.call('GET', '/v1/limits?group=pair')).body.items).toHaveLength(1);
  const gone = await preview([{ do: 'limit.delete', id: old.body.id }], '', 7);
  expect(gone.body.limits.items).toEqual([expect.objectContaining({ before: quota(1), after: null, refused: 1, calls: null, beyond: null })]);
  const many = Array.from({ length: 21 }, () => ({ do: 'limit.create', limit: { agent: 'hal', terms: quota(1) } }));
  const refused = await own.call('POST', '/v1/policy/apply', { changes: many, reason: 'too many' });
  expect([refused.status, refused.body.errors[0].pointer], refused.text).toEqual([409, '/changes/20']);
  const back = await own.call('POST', `/v1/revisions/${applied.body.revision}/revert`, { reason: 'back' });
  expect([back.status, (await own.call('GET', `/v1/limits/${old.body.id}`)).body.terms], back.text).toEqual([200, quota(3)]);
});
