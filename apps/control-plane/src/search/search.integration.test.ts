import type { DefinitionState } from '@portcullis/database';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await offer('github', { name: 'GitHub', tags: ['scm'], description: 'Code hosting' }, [
    ['create_issue', { title: 'New issue', description: 'Opens an issue in a repository.' }],
    ['create_pull_request', { description: 'Asks for a review of the repositories’ branches.' }],
    ['listBranches', { description: 'All branches.' }],
  ]);
  await offer('gitlab', { name: 'GitLab', tags: ['scm'] }, [['create_issue', { description: 'Opens a ticket.' }]]);
  await offer('weather', { name: 'Weather' }, [['forecast', { description: 'Tomorrow’s weather\u202e in your\u0000 town' }]]);
});
afterAll(() => own.close());

type Tool = readonly [name: string, about: object];
async function offer(slug: string, server: object, tools: readonly Tool[], state: DefinitionState = 'pending'): Promise<void> {
  const { body } = await own.call('POST', '/v1/servers', { slug, url: `https://${slug}.example.com/mcp`, ...server });
  await own.database.definition.createMany({
    data: tools.map(([name, about]) => ({
      serverId: body.id,
      kind: 'tool' as const,
      name,
      state,
      json: Uint8Array.from(Buffer.from(JSON.stringify({ name, inputSchema: {}, ...about }))),
      hash: JSON.stringify(about),
    })),
  });
}

const search = async (q: string, more = '') => (await own.call('GET', `/v1/search?q=${encodeURIComponent(q)}${more}`)).body;
const refs = async (q: string, more = ''): Promise<string[]> =>
  (await search(q, more)).items.map(({ match, ref }: { match: string; ref: string }) => `${match} ${ref}`);

describe('a search', () => {
  test('finds names first, then beginnings, then words, then what looks alike', async () => {
    expect(await refs('create_issue')).toEqual(['exact github:create_issue', 'exact gitlab:create_issue']);
    expect(await refs('github:create_issue')).toEqual(['exact github:create_issue']);
    expect((await refs('github'))[0]).toBe('exact github');
    expect((await refs('github:')).slice(0, 3)).toEqual([
      'prefix github:create_issue',
      'prefix github:create_pull_request',
      'prefix github:listBranches',
    ]);
    expect(await refs('create iss')).toEqual(['text github:create_issue', 'text gitlab:create_issue']);
    expect(await refs('gihtub')).toContain('fuzzy github');
    expect(await refs('forcast')).toEqual(['fuzzy weather:forecast']);
  });

  test('knows words in names of every style, titles, tags and descriptions, and their other forms', async () => {
    expect(await refs('branches')).toEqual(['text github:listBranches', 'text github:create_pull_request']);
    expect(await refs('listbranches')).toEqual(['exact github:listBranches']);
    expect(await refs('scm')).toEqual(['text github', 'text gitlab']);
    expect(await refs('repository review')).toEqual(['text github:create_pull_request']);
    expect(await refs('the weather of tomorrow')).toEqual(['text weather:forecast']);
  });

  test('can be narrowed by kind, server and state', async () => {
    expect(await refs('create', '&server=gitlab')).toEqual(['prefix gitlab:create_issue']);
    expect(await refs('git', '&kind=server')).toEqual(['prefix github', 'prefix gitlab']);
    await own.call('POST', '/v1/servers/gitlab/definitions/approve', { all: true });
    expect(await refs('create_issue', '&state=approved')).toEqual(['exact gitlab:create_issue']);
    expect((await own.call('GET', '/v1/search?q=x&server=nowhere')).status).toBe(404);
  });

  test('shows states as they are and foreign words without anything that acts', async () => {
    const { items } = await search('forecast');
    expect(items[0]).toMatchObject({ kind: 'tool', ref: 'weather:forecast', server: { slug: 'weather' }, state: 'pending' });
    expect(items[0].snippet).toBe('Tomorrow’s weather in your town');
  });

  test('pages without doubling or losing anything', async () => {
    await offer(
      'many',
      {},
      Array.from({ length: 25 }, (_, at): Tool => [`alike_${at % 5}_${at}_${'漢'.repeat(280)}`, { description: 'The same words for all.' }]),
    );
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await search('words same', `&limit=7${cursor}`);
      seen.push(...page.items.map(({ ref }: { ref: string }) => ref));
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
    } while (cursor !== '');
    expect(seen.length).toBe(25);
    expect(new Set(seen).size).toBe(25);
    expect((await own.call('GET', '/v1/search?q=x&cursor=forged')).status).toBe(400);
  });

  test.each(["'", '!!', '%', '_', '&|!():*', 'a:*', '\\', '  ', '💥', '<->', 'x'.repeat(200), "');--", 'the', 'ﷺ'])(
    'is not led astray by %j',
    async (q) => {
      const answer = await own.call('GET', `/v1/search?q=${encodeURIComponent(q)}`);
      expect(answer.status).toBe(200);
    },
  );

  test('follows what changes, and forgets what goes', async () => {
    await offer('passing', { description: 'Ephemeral' }, [['vanish', { description: 'Goes.' }]]);
    expect(await refs('ephemeral')).toEqual(['text passing']);
    await own.call('PATCH', '/v1/servers/passing', { description: 'Lasting' });
    expect(await refs('ephemeral')).toEqual([]);
    expect(await refs('lasting')).toEqual(['text passing']);
    const { id } = await own.database.definition.findFirstOrThrow({ where: { name: 'vanish' } });
    const json = Uint8Array.from(Buffer.from('{"name":"vanish","description":"Reappears."}'));
    await own.database.definition.update({ where: { id }, data: { json, hash: 'other' } });
    expect(await refs('reappears')).toEqual(['text passing:vanish']);
    await own.call('DELETE', '/v1/servers/passing');
    expect(await refs('lasting')).toEqual([]);
  });

  test('is for those who may read servers', async () => {
    expect((await own.call('GET', '/v1/search?q=github', undefined, own.auditor)).status).toBe(200);
    expect((await own.call('GET', '/v1/search?q=github', undefined, null)).status).toBe(401);
  });
});

test('huge and hostile texts are cut before they are indexed, and thousands of changes are caught up with', async () => {
  const tools = Array.from({ length: 900 }, (_, at): Tool => [
    `bulk_tool_${at}`,
    { description: at === 0 ? 'verylongword'.repeat(100_000) : `Bulk number ${at}` },
  ]);
  for (let at = 0; at < 30; at += 1) await offer(`bulk-${at}`, {}, tools.slice(at * 30, at * 30 + 30));
  await vi.waitFor(async () => expect(await own.database.searchDirty.count()).toBe(0), 30_000);
  expect(await refs('bulk_tool_899')).toEqual(['exact bulk-29:bulk_tool_899']);
  expect(await own.database.searchEntry.findFirstOrThrow({ where: { name: 'bulk_tool_0' } }).then(({ text }) => text.length)).toBe(1000);
});
