import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;

/** 13,000 servers with 10 tools each in 100 tags; 10,000 agents in 2 of 20 groups, each with a grant of its own at one or two servers. */
beforeAll(async () => {
  own = await startTestApp();
  const definition = `{"name":"x","annotations":{"readOnlyHint":true},"description":"${'x'.repeat(900)}"}`;
  for (const statement of [
    `INSERT INTO server (id, slug, name, url, tags, updated_at)
       SELECT gen_random_uuid(), 's-'||n, 's', 'https://x.example.com/'||n, ARRAY['t'||(n%100)], now() FROM generate_series(1,13000) n`,
    `INSERT INTO definition (id, server_id, kind, name, state, json, hash, approved_json, approved_hash)
       SELECT gen_random_uuid(), s.id, 'tool', 'tool_'||n, 'approved', j, 'h', j, 'h'
       FROM server s, generate_series(1,10) n, (SELECT convert_to('${definition}','UTF8') j) b`,
    `INSERT INTO agent (id, slug, name, updated_at) SELECT gen_random_uuid(), 'a-'||n, 'a', now() FROM generate_series(1,10000) n`,
    `INSERT INTO agent_group (id, slug, name) SELECT gen_random_uuid(), 'g-'||n, 'g' FROM generate_series(1,20) n`,
    `INSERT INTO agent_group_member (group_id, agent_id)
       SELECT g.id, a.id FROM agent_group g, agent a WHERE g.slug = 'g-1' OR substr(g.slug,3)::int = 2 + substr(a.slug,3)::int % 19`,
    `INSERT INTO access_grant (id, agent_id, server_id, names, created_by, updated_at)
       SELECT gen_random_uuid(), a.id, s.id, ARRAY['tool_1','tool_2'], 'x', now()
       FROM agent a JOIN server s ON substr(s.slug,3)::int % 6500 = substr(a.slug,3)::int % 6500`,
    'ANALYZE',
  ])
    await own.database.$executeRawUnsafe(statement);
}, 300_000);
afterAll(() => own.close());

const everybody = { group: 'g-1', names: ['*'] };

test.each([
  ['one agent at one server', { agent: 'a-1', server: 's-5', names: ['*'] }, 10],
  ['all agents at one server', { ...everybody, server: 's-5' }, 99_996],
  ['all agents at a hundredth of the servers', { ...everybody, selector: { tags: { anyOf: ['t5'] } } }, 12_999_600],
  ['all agents at all servers', { ...everybody, selector: {} }, 1_299_960_000],
  ['all agents, all tools that only read', { ...everybody, selector: { annotations: { readOnlyHint: true } } }, 1_299_960_000],
])('a grant to %s is previewed with its exact count, and further pages', async (what, grant, gained) => {
  const changes = [{ do: 'grant.create', grant }];
  const begun = performance.now();
  const { status, body, text } = await own.call('POST', '/v1/policy/preview?limit=5', { changes });
  expect([status, body.gained.count, body.lost.count], text).toEqual([200, gained, 0]);
  const { rss } = process.memoryUsage();
  process.stdout.write(`${what}: ${Math.round(performance.now() - begun)} ms, ${Math.round(rss / 2 ** 20)} MiB resident\n`);
  const next = await own.call('POST', `/v1/policy/preview?limit=5&cursor=${body.gained.nextCursor}`, { changes });
  expect([next.status, next.body.gained.items.length]).toEqual([200, 5]);
  expect(next.body.gained.items[0].ref > body.gained.items[4].ref).toBe(true);
});
