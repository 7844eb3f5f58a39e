import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/agents', { slug: 'data-agent' });
  await own.call('POST', '/v1/groups', { slug: 'team' });
  for (const slug of ['github']) await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp` } });
});
afterAll(() => own.close());

test('a grant with every term is read back as it was written, changed, and told in the revision', async () => {
  const terms = {
    selector: { tags: { anyOf: ['data'], allOf: ['reviewed'] }, environment: 'staging', annotations: { readOnlyHint: true } },
    condition: 'args.limit <= 100',
    pinned: { schema: 'public', options: { rows: [1, null, 'x'] } },
    rateLimit: { calls: 10, perSeconds: 60 },
    mode: 'shadow',
  };
  const created = await own.call('POST', '/v1/grants', { group: 'team', names: ['*'], ...terms });
  expect([created.status, created.body]).toMatchObject([201, { server: null, ...terms }]);
  expect((await own.call('GET', '/v1/grants?mode=shadow')).body.items).toEqual([created.body]);
  const path = `/v1/grants/${created.body.id}`;
  expect((await own.call('GET', path)).body).toEqual(created.body);
  const changed = await own.call('PATCH', path, { condition: null, pinned: null, rateLimit: null, mode: 'enforce' });
  expect(changed.body).toMatchObject({ selector: terms.selector, condition: null, pinned: null, rateLimit: null, mode: 'enforce' });
  const same = await own.call('PATCH', path, { pinned: null, mode: 'enforce' });
  expect(same.headers['x-policy-revision']).toBe(changed.headers['x-policy-revision']);
  const revision = await own.call('GET', `/v1/revisions/${String(changed.headers['x-policy-revision'])}`);
  expect(revision.body.change.change).toMatchObject({ before: terms, after: { condition: null, mode: 'enforce' } });
  await own.call('DELETE', path);
});

test('terms that cannot be meant are refused, each at its place', async () => {
  const pointersOf = async (grant: object) => {
    const { status, body } = await own.call('POST', '/v1/grants', { agent: 'data-agent', server: 'github', names: ['*'], ...grant });
    expect(status).toBe(400);
    return body.errors.map(({ pointer }: { pointer: string }) => pointer);
  };
  expect(await pointersOf({ group: 'team' })).toEqual(['/agent']);
  expect(await pointersOf({ selector: {} })).toEqual(['/server']);
  expect(await pointersOf({ server: undefined })).toEqual(['/server']);
  expect(await pointersOf({ server: undefined, selector: { tags: { noneOf: ['x'] } } })).toContain('/selector/tags/noneOf');
  expect(await pointersOf({ server: undefined, kind: 'prompts', selector: { annotations: { readOnlyHint: true } } })).toEqual(['/selector']);
  expect(await pointersOf({ kind: 'resources', condition: 'true' })).toEqual(['/condition']);
  expect(await pointersOf({ effect: 'deny', pinned: { a: 1 }, rateLimit: { calls: 1, perSeconds: 1 } })).toEqual(['/pinned', '/rateLimit']);
  expect(await pointersOf({ pinned: {} })).toEqual(['/pinned']);
});

test('a text that is no condition is refused with the place of the fault, when written and when changed', async () => {
  const bad = await own.call('POST', '/v1/grants', { agent: 'data-agent', server: 'github', names: ['*'], condition: 'args.repo ==' });
  expect(bad.status).toBe(400);
  expect(bad.body.errors).toMatchObject([{ pointer: '/condition', detail: expect.stringContaining('at character 11') }]);
  const { body } = await own.call('POST', '/v1/grants', { agent: 'data-agent', server: 'github', names: ['*'], condition: 'true' });
  const changed = await own.call('PATCH', `/v1/grants/${body.id}`, { condition: 'repo == "x"' });
  expect([changed.status, changed.body.errors[0].pointer]).toEqual([400, '/condition']);
  expect(changed.body.errors[0].detail).toContain('there is no repo; known are args, tool, server, agent');
  expect((await own.call('PATCH', `/v1/grants/${body.id}`, { condition: 'tool == "x"' })).status).toBe(200);
});
