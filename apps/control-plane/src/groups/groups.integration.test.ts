import { bucketOf } from '@portcullis/contracts/snapshot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
const ids: Record<string, string> = {};
beforeAll(async () => {
  own = await startTestApp();
  for (const slug of ['a-one', 'a-two']) ids[slug] = (await own.call('POST', '/v1/agents', { slug })).body.id;
});
afterAll(() => own.close());

test('members come and go, each change once, and the group goes with its grants', async () => {
  const group = await own.call('POST', '/v1/groups', { slug: 'team', name: 'The team' });
  expect([group.status, group.body]).toMatchObject([201, { slug: 'team', name: 'The team', memberCount: 0 }]);
  expect((await own.call('POST', '/v1/groups', { slug: 'team' })).status).toBe(409);

  const added = await own.call('PUT', '/v1/groups/team/members/a-one');
  expect(added.status).toBe(204);
  const again = await own.call('PUT', `/v1/groups/${group.body.id}/members/${ids['a-one']}`);
  expect([again.status, again.headers['x-policy-revision']]).toEqual([204, added.headers['x-policy-revision']]);
  await own.call('PUT', '/v1/groups/team/members/a-two');
  expect((await own.call('GET', '/v1/groups/team')).body.memberCount).toBe(2);
  expect((await own.call('GET', '/v1/agents/a-one')).body.groups).toEqual(['team']);

  const first = await own.call('GET', '/v1/groups/team/members?limit=1');
  expect(first.body.items.map(({ slug }: { slug: string }) => slug)).toEqual(['a-one']);
  const second = await own.call('GET', `/v1/groups/team/members?limit=1&cursor=${first.body.nextCursor}`);
  expect([second.body.items[0].slug, second.body.nextCursor]).toEqual(['a-two', null]);

  expect((await own.call('DELETE', '/v1/groups/team/members/a-one')).status).toBe(204);
  expect((await own.call('GET', '/v1/groups?limit=5')).body.items[0].memberCount).toBe(1);

  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp' } });
  await own.call('POST', '/v1/grants', { group: 'team', server: 'github', names: ['*'] });
  const deleted = await own.call('DELETE', '/v1/groups/team');
  expect(deleted.status).toBe(204);
  expect(await own.database.grant.count()).toBe(0);
  expect((await own.call('GET', '/v1/groups/team')).status).toBe(404);
  const revision = await own.database.revision.findUniqueOrThrow({ where: { revision: Number(deleted.headers['x-policy-revision']) } });
  expect(revision).toMatchObject({ action: 'group.deleted', change: { subject: { slug: 'team' }, change: { members: 1 } } });
});

test('deleting a group marks the buckets of its grants and of its members', async () => {
  // A publisher empties the outbox, so the buckets are read inside the transaction that writes them.
  const group = await own.call('POST', '/v1/groups', { slug: 'brief' });
  await own.call('PUT', '/v1/groups/brief/members/a-two');
  await own.database.$executeRawUnsafe(
    `CREATE TABLE seen_bucket AS SELECT kind::text AS kind, bucket, revision FROM dirty_bucket WHERE false;
     CREATE FUNCTION keep_bucket() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen_bucket VALUES (NEW.kind::text, NEW.bucket, NEW.revision); RETURN NEW; END $$;
     CREATE TRIGGER keep_bucket BEFORE INSERT ON dirty_bucket FOR EACH ROW EXECUTE FUNCTION keep_bucket();`,
  );
  const { headers } = await own.call('DELETE', '/v1/groups/brief');
  const seen = await own.database.$queryRaw<{ kind: string; bucket: number }[]>`
    SELECT kind, bucket FROM seen_bucket WHERE revision = ${Number(headers['x-policy-revision'])} ORDER BY kind`;
  expect(seen).toEqual([
    { kind: 'agents', bucket: bucketOf(ids['a-two'] ?? '') },
    { kind: 'grants', bucket: bucketOf(group.body.id) },
  ]);
});
