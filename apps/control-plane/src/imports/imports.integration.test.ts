import { once } from 'node:events';
import { request as sendRequest, type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { v7 } from 'uuid';
import { deleteServers } from '../testing/delete-servers.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let base: string;

beforeAll(async () => {
  own = await startTestApp({ imports: { rowsMax: 3000 } });
  await own.app.listen(0, '127.0.0.1');
  base = `http://127.0.0.1:${(own.app.getHttpServer().address() as AddressInfo).port}`;
});
afterEach(() => deleteServers(own.database));
afterAll(() => own.close());

type Send = { query?: string; type?: string; token?: string };
async function send(body: string | Uint8Array<ArrayBuffer>, { query = '', type = 'application/x-ndjson', token = own.admin }: Send = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  const answer = await fetch(`${base}/v1/imports${query}`, { method: 'POST', headers, body });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

/** A body that the test writes as it likes. */
function open(query: string): ClientRequest {
  const headers = { authorization: `Bearer ${own.admin}`, 'content-type': 'application/x-ndjson' };
  const request = sendRequest(`${base}/v1/imports${query}`, { method: 'POST', headers });
  request.on('error', () => undefined);
  return request;
}

const read = async (id: string) => (await own.call('GET', `/v1/imports/${id}`)).body;
const rowsOf = async (id: string, query = '') => (await own.call('GET', `/v1/imports/${id}/rows?limit=200${query}`)).body.items;
const server = async (slug: string) => (await own.call('GET', `/v1/servers/${slug}`)).body;
const revision = async () => (await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const row = (at: number, more: object = {}) => ({ id: `row-${at}`, slug: `server-${at}`, url: `https://s${at}.example.com/mcp`, ...more });
const many = (count: number, from = 0): object[] => Array.from({ length: count }, (_, at) => row(from + at));
const counts = (received: number, more: object = {}) => ({ received, created: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0, ...more });

test('a table makes servers over HTTP, and a row that is none is told by its line', async () => {
  const csv = 'id,slug,url,tags\n1,crm,https://crm.example.com/mcp,sales;emea\n2,none,nowhere,\n';
  const { status, body } = await send(csv, { type: 'text/csv; charset=utf-8' });
  expect([status, body]).toMatchObject([201, { source: 'csv', ...counts(2, { created: 1, failed: 1 }) }]);
  expect(await rowsOf(body.id, '&state=failed')).toMatchObject([{ line: 3, code: 'invalid_url' }]);
  expect(await server('crm')).toMatchObject({ tags: ['sales', 'emea'], importedFrom: { source: 'csv/default', id: '1' } });
});

test("a client's settings make servers over HTTP, without the secrets in them, and a package of any version is none", async () => {
  const github = { type: 'http', url: 'https://github.example.com/mcp', headers: { Authorization: 'Bearer s3cret-s3cret' } };
  const document = `{ "mcpServers": { "github": ${JSON.stringify(github)}, // work\n "files": { "command": "npx" }, } }`;
  const { status, body } = await send(document, { type: 'application/json', query: '?source=mcp.json' });
  expect([status, body]).toMatchObject([201, { source: 'mcp.json', ...counts(2, { created: 1, failed: 1 }) }]);
  expect(await server('github')).toMatchObject({ url: 'https://github.example.com/mcp', importedFrom: { source: 'mcp.json/default', id: 'github' } });
  expect(JSON.stringify([await own.database.server.findMany(), await rowsOf(body.id), body])).not.toContain('s3cret');
});

describe('JSON Lines', () => {
  test('twelve hundred rows make servers in three revisions, each with its audit event, and nothing is approved', async () => {
    const before = await revision();
    const { status, body } = await send(lines(many(1200)));
    expect([status, body]).toMatchObject([201, { state: 'finished', ...counts(1200, { created: 1200 }), source: 'jsonl', origin: 'default' }]);
    expect(await revision()).toBeGreaterThanOrEqual(before + 3);
    expect(body.revision).toBe(await revision());
    const events = await own.database.auditEvent.findMany({ where: { method: 'operator/servers.imported', revision: { gt: before } } });
    expect(events.length).toBe((await revision()) - before);
    expect(events.every(({ operator }) => operator === 'admin')).toBe(true);
    expect(await own.database.server.count({ where: { approveFirstDiscovery: true } })).toBe(0);
    expect(await server('server-7')).toMatchObject({ importedFrom: { source: 'jsonl/default', id: 'row-7' }, discovery: { status: 'never' } });
  });

  test('thousands of new servers are to be discovered one after the other, not all at once', async () => {
    await send(lines(many(1000)));
    const times = (await own.database.server.findMany()).map(({ nextDiscoveryAt }) => nextDiscoveryAt?.getTime() ?? 0).toSorted((a, b) => a - b);
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    expect(last - first).toBeGreaterThan(15_000);
    const inOneSecond = times.map((time) => times.filter((other) => other >= time && other < time + 1000).length);
    expect(Math.max(...inOneSecond)).toBeLessThan(150);
  });

  test('the same rows again change nothing, and make no revision', async () => {
    await send(lines(many(30)));
    const before = await revision();
    expect((await send(lines(many(30)))).body).toMatchObject(counts(30, { unchanged: 30 }));
    expect(await revision()).toBe(before);
    expect((await send(lines(many(30)), { query: '?origin=elsewhere' })).body).toMatchObject(counts(30, { failed: 30 }));
  });

  test('the same import twice at once registers each server once', async () => {
    const body = lines(many(700));
    const both = await Promise.all([send(body), send(body)]);
    const sum = (name: string): number => both.reduce((total, { body: done }) => total + done[name], 0);
    expect([sum('created'), sum('unchanged'), sum('failed')]).toEqual([700, 700, 0]);
    expect(await own.database.server.count()).toBe(700);
  });

  test('a changed row updates what the import owns, and what an operator has changed stays', async () => {
    await send(lines([row(1, { tags: ['a'], environment: 'prod' }), row(2)]));
    await own.call('PATCH', '/v1/servers/server-1', { environment: 'test', refreshIntervalSeconds: 30, enabled: false });
    const changed = row(1, { url: 'https://new.example.com/mcp', tags: ['b'], environment: 'stage', description: 'Says more' });
    const { body } = await send(lines([changed, row(2)]));
    expect(body).toMatchObject(counts(2, { updated: 1, unchanged: 1 }));
    expect(await server('server-1')).toMatchObject({
      url: 'https://new.example.com/mcp',
      tags: ['b'],
      environment: 'test',
      description: 'Says more',
      refreshIntervalSeconds: 30,
      enabled: false,
    });
    expect(await rowsOf(body.id)).toMatchObject([{ number: 1, state: 'updated', notes: ['Its environment was changed here by hand and stays.'] }]);
  });

  test('what was approved is not served from another address until it is found there', async () => {
    await send(lines([row(1)]));
    const { id } = await own.database.server.findUniqueOrThrow({ where: { slug: 'server-1' } });
    const definition = { serverId: id, kind: 'tool', name: 't', state: 'approved', json: Buffer.from('{}'), hash: 'h', approvedHash: 'h' } as const;
    await own.database.definition.create({ data: definition });
    await own.database.server.update({ where: { id }, data: { driftCountedSince: new Date() } });
    await send(lines([row(1, { url: 'https://other.example.com/mcp' })]));
    expect((await own.database.definition.findFirstOrThrow()).state).toBe('removed');
    // What is found there counts for nothing against the budget of changes.
    expect((await own.database.server.findUniqueOrThrow({ where: { id } })).driftCountedSince).toBeNull();
  });

  test('every faulty row is told with line, pointer and reason, and the others are registered', async () => {
    const token = 'sk-abcdefghijklmnop1234';
    const body = [
      JSON.stringify(row(1)),
      `{"id":"broken","url":"${token}`,
      '[]',
      JSON.stringify({ url: 'https://x.example.com' }),
      JSON.stringify(row(2, { slug: 'Not A Slug' })),
      JSON.stringify(row(3, { owner: 'me' })),
      JSON.stringify(row(4, { url: `https://user:${token}@x.example.com/` })),
      JSON.stringify(row(5, { url: `https://x.example.com/?api_key=${token}` })),
      JSON.stringify(row(6, { url: 'ftp://x.example.com/' })),
      JSON.stringify(row(7, { url: 'https://x.example.com:6379/' })),
      JSON.stringify(row(8, { url: 'https://${input:host}/mcp' })),
      JSON.stringify(row(9, { slug: 'server-1' })),
      JSON.stringify(row(1, { slug: 'again' })),
      '{"id":"a\\u0000b","url":"https://x.example.com"}',
      '{"id":"proto","url":"https://x.example.com","__proto__":{"slug":"x"}}',
      JSON.stringify(row(10, { description: 'x'.repeat(300_000) })),
      '',
      JSON.stringify(row(11, { transport: 'stdio' })),
      JSON.stringify(row(12, { headers: { Authorization: `Bearer ${token}` }, env: { API_KEY: token } })),
    ].join('\r\n');
    const { body: done } = await send(body);
    expect(done).toMatchObject({ state: 'finished', ...counts(18, { created: 2, failed: 15, skipped: 1 }) });
    const failed = await rowsOf(done.id, '&state=error');
    expect(failed.map((one: { line: number; code: string; pointer: string }) => [one.line, one.code, one.pointer])).toEqual([
      [2, 'malformed', null],
      [3, 'invalid', ''],
      [4, 'invalid', '/id'],
      [5, 'invalid', '/slug'],
      [6, 'invalid', '/owner'],
      [7, 'secret_in_url', '/url'],
      [8, 'secret_in_url', '/url'],
      [9, 'invalid_url', '/url'],
      [10, 'url_not_allowed', '/url'],
      [11, 'placeholder_in_url', '/url'],
      [12, 'slug_taken', null],
      [13, 'duplicate', null],
      [14, 'malformed', '/id'],
      [15, 'invalid', '/__proto__'],
      [16, 'line_too_long', null],
    ]);
    const [, , taken] = await rowsOf(done.id);
    expect(taken).toBeDefined();
    const all = await rowsOf(done.id);
    expect(all.at(-1)).toMatchObject({ state: 'created', notes: ['It asks for credentials, and no value was kept: Authorization, API_KEY.'] });
    expect(all.find((one: { state: string }) => one.state === 'skipped')).toMatchObject({ code: 'stdio_not_supported', line: 18 });
    const kept = JSON.stringify([
      await own.database.importRow.findMany(),
      await own.database.server.findMany(),
      await own.database.revision.findMany(),
    ]);
    expect(kept).not.toContain(token);
  });

  test('rows are paged, and an unknown import has none', async () => {
    const { body } = await send(lines(Array.from({ length: 5 }, (_, at) => row(at, { url: 'nowhere' }))));
    const first = (await own.call('GET', `/v1/imports/${body.id}/rows?state=failed&limit=3`)).body;
    const second = (await own.call('GET', `/v1/imports/${body.id}/rows?state=failed&limit=3&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].map(({ number }: { number: number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(second.nextCursor).toBeNull();
    expect((await own.call('GET', `/v1/imports/${v7()}/rows`)).status).toBe(404);
  });

  test('a dry run says what would happen and changes nothing', async () => {
    await send(lines([row(1)]));
    const [before, servers] = [await revision(), await own.database.server.count()];
    const wanted = lines([row(1, { tags: ['new'] }), row(2), { id: 'other', slug: 'server-2', url: 'https://o.example.com/' }, row(3)]);
    const { body } = await send(wanted, { query: '?dryRun=true' });
    expect(body).toMatchObject({ dryRun: true, revision: null, ...counts(4, { created: 2, updated: 1, failed: 1 }) });
    expect([await revision(), await own.database.server.count()]).toEqual([before, servers]);
    expect((await send(wanted)).body).toMatchObject(counts(4, { created: 2, updated: 1, failed: 1 }));
  });

  test('more rows than the cap are not taken', async () => {
    const { body } = await send(lines(many(3001)));
    expect(body).toMatchObject({ state: 'failed', detail: 'There are more than 3000 rows. The first 3000 were taken.', received: 3000 });
  });
});

describe('an import that is still being sent', () => {
  test('shows how far it is, and a cancel ends it at once: what was written stays, nothing more is written', async () => {
    const id = v7();
    const request = open(`?id=${id}`);
    const answered = once(request, 'response');
    request.write(lines(many(600)));
    await vi.waitFor(async () => expect(await read(id)).toMatchObject({ state: 'running', received: 600 }), 20_000);
    const cancelled = await own.call('POST', `/v1/imports/${id}/cancel`);
    expect(cancelled.body).toMatchObject({ state: 'cancelled', received: 600 });
    request.write(lines(many(600, 600)));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(201);
    answer.resume();
    request.destroy();
    expect(await own.database.server.count()).toBe(600);
    expect(await read(id)).toMatchObject({ state: 'cancelled', received: 600 });
    expect((await own.call('POST', `/v1/imports/${id}/cancel`)).body.state).toBe('cancelled');
    expect(await own.database.auditEvent.count({ where: { method: 'operator/import.cancelled' } })).toBe(1);
  });

  test('is interrupted when its sender goes away, and sending all of it again completes it', async () => {
    const id = v7();
    const request = open(`?id=${id}`);
    request.write(lines(many(600)));
    await vi.waitFor(async () => expect((await read(id)).received).toBeGreaterThanOrEqual(500), 20_000);
    request.destroy();
    await vi.waitFor(async () => expect(await read(id)).toMatchObject({ state: 'interrupted' }), 20_000);
    const done = (await read(id)).created;
    expect((await send(lines(many(700)))).body).toMatchObject({ state: 'finished', ...counts(700, { created: 700 - done, unchanged: done }) });
  });

  test('refuses an id that was given before (409)', async () => {
    const id = v7();
    expect((await send(lines(many(1)), { query: `?id=${id}` })).status).toBe(201);
    expect((await send(lines(many(1)), { query: `?id=${id}` })).status).toBe(409);
  });
});

describe('what is no import', () => {
  test.each([
    ['another type', 'text/plain', '', 415],
    ['a document of which it is not said what it is', 'application/json', '', 400],
    ['a source that goes with another type', 'text/csv', '?source=jsonl', 400],
    ['an unknown source', 'application/x-ndjson', '?source=xml', 400],
    ['an unknown parameter', 'application/x-ndjson', '?force=true', 400],
  ])('is refused: %s', async (_what, type, query, status) => {
    expect((await send(lines(many(1)), { type, query })).status).toBe(status);
    expect(await own.database.server.count()).toBe(0);
  });

  test('an auditor may look and not import', async () => {
    expect((await send(lines(many(1)), { token: own.auditor })).status).toBe(403);
    expect((await own.call('GET', '/v1/imports', undefined, own.auditor)).status).toBe(200);
  });

  test('elsewhere a streamed type is still refused (415)', async () => {
    for (const type of ['application/x-ndjson', 'application/vnd.portcullis.streamed']) {
      const headers = { authorization: `Bearer ${own.admin}`, 'content-type': type };
      expect((await fetch(`${base}/v1/agents`, { method: 'POST', headers, body: '{"slug":"x"}' })).status).toBe(415);
    }
  });
});
