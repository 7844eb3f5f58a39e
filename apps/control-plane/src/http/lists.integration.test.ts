import { afterAll, beforeAll, expect, test } from 'vitest';
import { operationsOf, type Operation } from '../testing/arbitrary-requests.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

interface Described {
  readonly $ref?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Described>>;
}

/** What is always told whole: the keys of each purpose, and those that ever signed the trail. */
const WHOLE = ['/v1/audit/keys', '/v1/keys'];
/** What other APIs call these, so that nobody begins to. Times are `from` and `to`, things are called by what they are. */
const OTHER_WORDS = /^(?:page|pageSize|per_page|size|offset|skip|sort|sortBy|order|orderBy|filter|since|until|after|before)$|Id$/;
/** A call or a trace is found by nothing else than its id. */
const IDS = ['traceId', 'requestId'];

let own: TestApp;
let schemas: Readonly<Record<string, Described>>;
let lists: readonly (Operation & { readonly whole: Described })[];
const nameOf: Readonly<Record<string, string>> = { server: 'github', agent: 'a', group: 'g', operator: 'admin' };

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'a' });
  await own.call('POST', '/v1/groups', { slug: 'g' });
  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp' } });
  const { body } = await own.call('GET', '/v1/openapi.json', undefined, null);
  schemas = body.components.schemas;
  lists = operationsOf(body)
    .filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/'))
    .flatMap((operation) => operation.answers.map((answer) => ({ ...operation, whole: meant(answer as Described) })))
    .filter(({ whole: { type, properties } }) => type === 'array' || properties?.['items'] !== undefined || properties?.['nextCursor'] !== undefined);
});
afterAll(() => own.close());

function meant(schema: Described): Described {
  return schema.$ref === undefined ? schema : meant(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
}
const asked = ({ parameters }: Operation): string[] => parameters.filter((one) => one.in === 'query').map(({ name }) => name);
const isPaged = ({ path }: Operation): boolean => !WHOLE.includes(path);
const urlOf = ({ path }: Operation, query: string): string =>
  `${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => nameOf[name] ?? '0198c0de-0000-7000-8000-000000000000')}?${query}`;
const get = async (list: Operation, query: string) => {
  const needed = list.path === '/v1/audit/timeline' ? '&agent=a' : list.path === '/v1/search' ? '&q=git' : '';
  return own.call('GET', urlOf(list, `${query}${needed}`));
};

test('every list is a page of items and says where it goes on, and takes a limit and a cursor with the same bounds', () => {
  expect(lists.length).toBeGreaterThan(30);
  for (const list of lists) {
    const { path, whole, parameters } = list;
    expect([meant(whole.properties?.['items'] ?? {}).type, whole.properties?.['nextCursor'] !== undefined], path).toEqual(['array', true]);
    if (!isPaged(list)) continue;
    const limit = parameters.find(({ name }) => name === 'limit')?.schema as Described | undefined;
    expect(limit, path).toMatchObject({ type: 'integer', minimum: 1, maximum: 200, default: 50 });
    expect(asked(list), path).toContain('cursor');
  }
});

test('parameters of lists have one name each for the same thing', () => {
  const strange = lists.flatMap((list) =>
    asked(list)
      .filter((name) => OTHER_WORDS.test(name) && !IDS.includes(name))
      .map((name) => [list.path, name]),
  );
  expect(strange).toEqual([]);
  for (const list of lists) expect(asked(list).includes('from'), list.path).toBe(asked(list).includes('to'));
});

test('every list answers with a page, and refuses limits out of bounds, foreign cursors, and parameters that it does not know', async () => {
  for (const list of lists) {
    const page = await get(list, isPaged(list) ? 'limit=1' : '');
    if (page.status === 404) expect(list.path).toContain('{');
    else expect([page.status, page.body], urlOf(list, '')).toMatchObject([200, { items: expect.any(Array) }]);
    if (page.status === 200) expect([null, 'string'], list.path).toContain(page.body.nextCursor === null ? null : typeof page.body.nextCursor);
    const faults = ['nonsense=1', 'sort=name', 'offset=1', ...(isPaged(list) ? ['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2'] : [])];
    for (const fault of faults) {
      const { status, body } = await get(list, fault);
      const pointer = `/${fault.split('=')[0] ?? ''}`;
      expect([status, body?.errors?.map((one: { pointer: string }) => one.pointer)], urlOf(list, fault)).toEqual([400, [pointer]]);
    }
    if (!isPaged(list) || page.status === 404) continue;
    for (const cursor of ['AAAA', 'bm9uc2Vuc2U', '0198c0de-0000-7000-8000-000000000000'])
      expect((await get(list, `cursor=${cursor}`)).status, urlOf(list, `cursor=${cursor}`)).toBe(400);
  }
});

test('a cursor that somebody made up is a place in the list or refused, whatever stands in it, and no fault of ours', async () => {
  const id = '0198c0de-0000-7000-8000-000000000000';
  const texts = [['\0'], ['\0', id], ['exact', 1, '\0', id], ['\ud800'], ['a'], ['0000-01-01T00:00:00Z', id]];
  const made = [...texts, [2 ** 31 - 1], ['exact', 2 ** 31 - 1, 'a', id]];
  for (const list of lists.filter(isPaged))
    for (const keys of made) {
      const query = `limit=1&cursor=${Buffer.from(JSON.stringify(keys)).toString('base64url')}`;
      expect([200, 400, 404], `${urlOf(list, query)} ${JSON.stringify(keys)}`).toContain((await get(list, query)).status);
    }
});

test('a filter that is given has to hold: rules that may be asked for are found by whom and what they are about', async () => {
  const rule = { server: 'github', names: ['x'], durationSecondsMax: 60 };
  for (const subject of [{ agent: 'a' }, { group: 'g' }])
    expect((await own.call('POST', '/v1/requestable', { ...rule, ...subject })).status).toBe(201);
  const found = async (query: string): Promise<number> => (await own.call('GET', `/v1/requestable?${query}`)).body.items.length;
  expect([await found(''), await found('agent=a'), await found('group=g'), await found('server=github'), await found('agent=a&group=g')]).toEqual([
    2, 1, 1, 2, 0,
  ]);
  expect((await own.call('GET', '/v1/requestable?agent=nobody')).status).toBe((await own.call('GET', '/v1/grants?agent=nobody')).status);
});
