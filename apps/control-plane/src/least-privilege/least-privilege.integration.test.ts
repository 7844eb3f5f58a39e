import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerWithTools } from '../testing/register-with-tools.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';
import { callStore, type StoreCalls, type StoredCall } from '../testing/store-calls.js';

let own: TestApp;
let store: StoreCalls;
const ids: Record<string, string> = {};

beforeAll(async () => {
  own = await startTestApp();
  store = callStore(own.database);
  for (const slug of ['ann', 'ben']) ids[slug] = (await own.call('POST', '/v1/agents', { slug })).body.id;
  await own.call('POST', '/v1/groups', { slug: 'team' });
  await own.call('PUT', '/v1/groups/team/members/ben');
  for (const slug of ['github', 'mail']) {
    ids[slug] = await registerWithTools(own, slug, { tags: ['red'], approved: ['read', 'write', 'wipe'] });
  }
  const grants = {
    glob: { agent: 'ann', server: 'github', names: ['*'] },
    idle: { agent: 'ann', server: 'mail', names: ['read'] },
    exact: { group: 'team', server: 'github', names: ['read'] },
    tagged: { group: 'team', selector: { tags: { anyOf: ['red'] } }, names: ['w*'] },
    denied: { agent: 'ben', server: 'mail', names: ['wipe'], effect: 'deny' },
    young: { agent: 'ben', server: 'mail', names: ['*'] },
  };
  for (const [name, grant] of Object.entries(grants)) ids[name] = (await own.call('POST', '/v1/grants', grant)).body.id;
  const old = new Date(Date.now() - 90 * 86_400_000);
  await own.database.grant.updateMany({ where: { id: { not: ids['young'] ?? '' } }, data: { createdAt: old } });
  for (const use of [
    ['ann', 'github', 'read', 'glob'],
    ['ann', 'github', 'read', 'glob'],
    ['ben', 'github', 'read', 'exact'],
    ['ben', 'mail', 'write', 'tagged'],
  ] as const)
    await record(use, 1);
  await record(['ann', 'mail', 'read', 'idle'], 40);
});
afterAll(() => own.close());

const record = async ([agent, server, tool, grant]: readonly [string, string, string, string], ageDays: number, more: StoredCall = {}) => {
  const idOf = (name: string): string => ids[name] ?? '';
  const at = new Date(Date.now() - ageDays * 86_400_000);
  await store([{ at, agentId: idOf(agent), agent, serverId: idOf(server), server, tool, grantId: idOf(grant), ...more }]);
};

const report = async (query: string) => {
  const answer = await own.call('GET', `/v1/policy/least-privilege?${query}`, undefined, own.auditor);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};

test('grants that were not used for so many days are found, not the young and not the denying, each with a draft that takes them away', async () => {
  const { items, days } = await report('kind=unused');
  expect([days, items.map(({ grant }: { grant: { id: string } }) => grant.id)]).toEqual([30, [ids['idle']]]);
  expect(items[0].draft).toEqual({ changes: [{ do: 'grant.delete', id: ids['idle'] }] });
  expect((await report('kind=unused&days=60')).items).toEqual([]);
});

test('globs and selectors that could be exact names are found with the names that were used', async () => {
  const { items } = await report('kind=broad');
  expect(items.map(({ grant, used, calls }: Record<string, { id: string }>) => [grant?.id, used, calls])).toEqual([
    [ids['glob'], ['github:read'], 2],
    [ids['tagged'], ['mail:write'], 1],
  ]);
  expect(items[0].draft.changes).toEqual([{ do: 'grant.update', id: ids['glob'], change: { names: ['read'] } }]);
  expect(items[1].draft.changes).toMatchObject([
    { do: 'grant.create', grant: { group: 'team', server: 'mail', names: ['write'] } },
    { do: 'grant.delete' },
  ]);
});

test('agents that hold more than they use are found with both counts, page by page', async () => {
  const { items } = await report('kind=agents');
  expect(
    items.map(({ agent, held, used, draft }: Record<string, { changes: unknown[] }>) => [agent, held, used, draft?.changes.length]),
  ).toMatchObject([
    ['ann', 4, 1, 2],
    ['ben', expect.any(Number), 2, undefined],
  ]);
  const first = await report('kind=agents&limit=1');
  const second = await report(`kind=agents&limit=1&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items]).toEqual(items);
  expect((await report('kind=agents&agent=ann')).items).toEqual([items[0]]);
});

test('every draft of the report can be previewed, and applied takes nothing away that was used', async () => {
  for (const kind of ['unused', 'broad', 'agents']) {
    for (const { draft } of (await report(`kind=${kind}`)).items) {
      if (draft === null) continue;
      const preview = await own.call('POST', '/v1/policy/preview', { ...draft, days: 30 });
      expect(preview.status, preview.text).toBe(200);
      expect(preview.body).toMatchObject({ gained: { count: 0 }, calls: { allowedToDenied: 0 } });
    }
  }
  const [finding] = (await report('kind=broad')).items;
  expect((await own.call('POST', '/v1/policy/apply', { ...finding.draft, reason: 'least privilege' })).status).toBe(200);
  expect((await report('kind=broad')).items.map(({ grant }: { grant: { id: string } }) => grant.id)).toEqual([ids['tagged']]);
  expect((await own.call('GET', '/v1/policy/least-privilege?days=0')).status).toBe(400);
  expect((await own.call('GET', '/v1/policy/least-privilege?agent=nobody')).status).toBe(404);
});

test('what was read through a template is a use of the template, however it was approved then', async () => {
  const template = { serverId: ids['github'] ?? '', kind: 'resource_template' as const, name: 'docs://{name}', json: Buffer.from('{}'), hash: 'new' };
  const { id: definitionId } = await own.database.definition.create({ data: { ...template, state: 'approved', approvedHash: 'new' } });
  const changed = { at: new Date(), server: 'github', definitionId, change: 'changed', beforeHash: 'old', afterHash: 'new' };
  const { serverId, kind, name } = template;
  await own.database.definitionChange.create({ data: { ...changed, serverId, kind, name } });
  const grant = { agent: 'ben', server: 'github', kind: 'resources', names: ['docs://*'] };
  ids['docs'] = (await own.call('POST', '/v1/grants', grant)).body.id;
  await own.database.grant.update({ where: { id: ids['docs'] ?? '' }, data: { createdAt: new Date(Date.now() - 90 * 86_400_000) } });
  const read = (uri: string, method: string, definitionHash: string) => record(['ben', 'github', uri, 'docs'], 1, { method, definitionHash });
  await read('docs://a', 'resources/read', 'new');
  await read('docs://b', 'resources/read', 'old');
  await read('docs://b', 'subscriptions/listen', 'new');
  const { items } = await report('kind=broad&agent=ben');
  expect(items.filter((item: { grant: { id: string } }) => item.grant.id === ids['docs'])).toMatchObject([
    { calls: 3, draft: { changes: [{ do: 'grant.update', id: ids['docs'], change: { names: ['docs://{name}'] } }] } },
  ]);
});
