import { countKeys } from '@portcullis/contracts/limits';
import { connectRedis, freshRedis } from '@portcullis/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAgents, readServers } from '../snapshots/snapshot-rows.js';
import { agentEntry, serverEntry } from '../snapshots/compile-entries.js';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { newOperatorToken, startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let redis: Redis;
let service: Awaited<ReturnType<typeof freshRedis>>;
let agentId: string;
let serverId: string;

const daily = { kind: 'quota', calls: 10, per: 'day' };
const rate = { kind: 'rate', calls: 2, perSeconds: 3600 };

beforeAll(async () => {
  service = await freshRedis();
  redis = connectRedis(service.url);
  own = await startTestApp({ redisUrl: service.url });
  agentId = (await own.call('POST', '/v1/agents', { slug: 'caller' })).body.id;
  await own.call('POST', '/v1/groups', { slug: 'lab' });
  await own.call('PUT', '/v1/groups/lab/members/caller');
  serverId = (await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://github.example/mcp' } })).id;
  const approved = { approvedJson: Buffer.from('{}'), approvedHash: 'a'.repeat(64) };
  for (const name of ['push', 'pull'])
    await own.database.definition.create({
      data: { serverId, kind: 'tool', name, state: 'approved', json: Buffer.from('{}'), hash: 'a'.repeat(64), ...approved },
    });
  await own.call('POST', '/v1/grants', { agent: 'caller', server: 'github', names: ['*'] });
});
afterAll(async () => {
  await own.close();
  redis.disconnect();
  await service.stop();
});

const make = async (body: object) => {
  const answer = await own.call('POST', '/v1/limits', body);
  expect(answer.status, answer.text).toBe(201);
  return answer.body as { id: string };
};

/** What nodes get of the agent and the server. */
async function entries() {
  const [agent] = (await readAgents(own.database, [bucketOf(agentId)])).map((row) => agentEntry(row, new Date()));
  const [server] = (await readServers(own.database, [bucketOf(serverId)])).map(serverEntry);
  return { agent: agent?.callLimits, server: server?.callLimits };
}
const stepsOf = async (target: string): Promise<string[]> => {
  const { body } = await own.call('POST', '/v1/policy/explain', { agent: 'caller', target });
  return body.steps.filter(({ code }: { code: string }) => code === 'limit_spent').map(({ text }: { text: string }) => text);
};

test('limits reach nodes with whom they are about, are counted in revisions and change back by a revert', async () => {
  expect(await entries()).toEqual({ agent: undefined, server: undefined });
  const before = await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } });
  const ofAgent = await make({ agent: 'caller', terms: rate });
  const ofGroup = await make({ group: 'lab', terms: daily });
  const ofTools = await make({ server: 'github', tools: ['push', 'push'], terms: { kind: 'concurrency', calls: 3 } });
  expect(await entries()).toEqual({
    agent: [
      { id: ofAgent.id, terms: rate },
      { id: ofGroup.id, terms: daily },
    ],
    server: [{ id: ofTools.id, terms: { kind: 'concurrency', calls: 3 }, tools: ['push'] }],
  });
  expect((await own.call('GET', '/v1/revisions?limit=1')).body.items[0]).toMatchObject({ revision: before.revision + 3, action: 'limit.created' });
  const changed = await own.call('PATCH', `/v1/limits/${ofGroup.id}`, { terms: { ...daily, calls: 20 } });
  expect([changed.status, changed.body.terms]).toEqual([200, { ...daily, calls: 20 }]);
  const revision = String(changed.headers['x-policy-revision']);
  expect((await own.call('POST', `/v1/revisions/${revision}/revert`, { reason: 'no' })).status).toBe(200);
  expect((await own.call('GET', `/v1/limits/${ofGroup.id}`)).body.terms).toEqual(daily);
  for (const { id } of [ofAgent, ofGroup, ofTools]) expect((await own.call('DELETE', `/v1/limits/${id}`)).status).toBe(204);
  expect(await entries()).toEqual({ agent: undefined, server: undefined });
});

test('what cannot be meant is refused, and so is whoever may not', async () => {
  const refused = async (body: object) => {
    const answer = await own.call('POST', '/v1/limits', body);
    return [answer.status, answer.body.errors?.[0]?.pointer];
  };
  expect(await refused({ agent: 'caller', server: 'github', terms: daily })).toEqual([400, '/agent']);
  expect(await refused({ agent: 'caller', tools: ['x'], terms: daily })).toEqual([400, '/tools']);
  expect(await refused({ agent: 'nobody', terms: daily })).toEqual([404, undefined]);
  expect((await refused({ agent: 'caller', terms: { kind: 'quota', calls: 0, per: 'day' } }))[0]).toBe(400);
  expect((await refused({ agent: 'caller', terms: { kind: 'rate', calls: 1, per: 'day' } }))[0]).toBe(400);
  const { id } = await make({ server: 'github', terms: daily });
  expect((await own.call('PATCH', `/v1/limits/${id}`, { terms: rate })).body.errors[0].pointer).toBe('/terms/kind');
  expect((await own.call('PATCH', `/v1/limits/${id}`, { tools: ['push'] })).body.errors[0].pointer).toBe('/tools');
  const viewer = await newOperatorToken(own.app, 'viewer');
  expect((await own.call('GET', `/v1/limits/${id}`, undefined, viewer)).status).toBe(200);
  expect((await own.call('DELETE', `/v1/limits/${id}`, undefined, viewer)).status).toBe(403);
  expect((await own.call('GET', '/v1/limits?server=github', undefined, viewer)).body.items.map((one: { id: string }) => one.id)).toEqual([id]);
  await own.call('DELETE', `/v1/limits/${id}`);
  expect((await own.call('GET', `/v1/limits/${id}`)).status).toBe(404);
});

test('a limit that is used up is told with when it ends, and explains why a call is refused', async () => {
  const { id } = await make({ agent: 'caller', terms: daily });
  const tool = await make({ server: 'github', tools: ['push'], terms: rate });
  expect((await own.call('GET', `/v1/limits/${id}`)).body).toMatchObject({ used: 0, spentUntil: null });
  expect(await stepsOf('github:push')).toEqual([]);
  const [seconds] = await redis.time();
  await redis.set(countKeys.quota(id, new Date().toISOString().slice(0, 10)), 10);
  await redis.hset(countKeys.rate(`${tool.id}:push`, 3_600_000), { [Math.floor(Number(seconds) / 360)]: 2 });
  const spent = (await own.call('GET', `/v1/limits/${id}`)).body;
  expect(spent.used).toBe(10);
  expect(Date.parse(spent.spentUntil) % 86_400_000).toBeLessThan(2000);
  expect((await own.call('GET', `/v1/limits/${tool.id}`)).body.used).toBe(2);
  expect(await stepsOf('github:push')).toEqual([
    expect.stringContaining('caller, 10 calls a day,'),
    expect.stringContaining('github:push, 2 calls in 3600 s'),
  ]);
  expect(await stepsOf('github:pull')).toHaveLength(1);
  const { body } = await own.call('POST', '/v1/policy/explain', { agent: 'caller', target: 'github:push' });
  expect(body).toMatchObject({ effect: 'deny', visible: true });
  const [pid] = /process_id:(\d+)/.exec(await redis.info('server'))?.slice(1) ?? [];
  process.kill(Number(pid), 'SIGKILL');
  expect((await own.call('GET', `/v1/limits/${id}`)).body).toMatchObject({ used: null, spentUntil: null });
  expect(await stepsOf('github:push')).toEqual([]);
});
