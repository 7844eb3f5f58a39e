import { freshRedis, makeAuthority } from '@portcullis/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { versionedRoutes } from '../changes/resource-versions.js';
import { IdempotencyKeys, type Attempt } from '../idempotency/idempotency-keys.js';
import { markedRoutes } from '../testing/marked-routes.js';
import { newOperatorToken, startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let redis: Awaited<ReturnType<typeof freshRedis>>;
let own: TestApp;
let other: string;

beforeAll(async () => {
  redis = await freshRedis();
  own = await startTestApp({ redisUrl: redis.url });
  other = await newOperatorToken(own.app, 'admin');
  await own.call('POST', '/v1/agents', { slug: 'a' });
  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp' } });
});
afterAll(async () => {
  await own.close();
  await redis.stop();
});

const tagOf = ({ headers }: Answer): string => String(headers['etag']);
const match = (tag: string): Record<string, string> => ({ 'if-match': tag });
const keyed = (key: string): Record<string, string> => ({ 'idempotency-key': key });
const revision = async (): Promise<number> => (await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;

/** One of each that has a version, and a change of it. */
async function resources(): Promise<readonly { readonly url: string; readonly change?: object; readonly method?: 'PUT' }[]> {
  const make = async (url: string, body: object): Promise<string> => `${url}/${(await own.call('POST', url, body)).body.id}`;
  const budget = { name: 'b', subject: { agent: 'a' }, currency: 'EUR', amountMicros: '1000000' };
  const rule = { name: 'r', when: { kind: 'denial_burst', count: 50, withinMinutes: 5 } };
  const price = { server: '*', tool: '*', basis: 'call', amountMicros: '1', currency: 'EUR', effectiveFrom: '2030-01-01T00:00:00Z' };
  const { cert: ca } = makeAuthority('Servers');
  // Whoever means one that is not there means another.
  expect((await own.callWith(match('"1"'), 'PUT', '/v1/servers/github/tls', { ca })).status).toBe(412);
  expect((await own.callWith(match('*'), 'PUT', '/v1/servers/github/tls', { ca })).status).toBe(200);
  const keys = { keyId: 'run1', keyHash: '', pepperId: '', sealingPublicKey: '', accessToken: '', accessTokenForNodes: '' };
  const runner = await own.database.runner.create({ data: { name: 'r', ...keys } });
  const headers = { kind: 'headers', headers: [{ name: 'x-key', value: 'canary' }] };
  return [
    { url: '/v1/agents/a', change: { name: 'A' } },
    { url: '/v1/servers/github', change: { description: 'code' } },
    { url: '/v1/settings', change: { auditLists: false } },
    { url: '/v1/audit/retention', change: { days: 400, reason: 'law' }, method: 'PUT' },
    { url: `/v1/runners/${runner.id}` },
    { url: '/v1/servers/github/tls', change: { ca }, method: 'PUT' },
    { url: await make('/v1/groups', { slug: 'g' }) },
    { url: await make('/v1/grants', { agent: 'a', server: 'github', names: ['x'] }), change: { names: ['y'] } },
    { url: await make('/v1/requestable', { agent: 'a', server: 'github', names: ['x'], durationSecondsMax: 60 }), change: { names: ['y'] } },
    { url: await make('/v1/limits', { agent: 'a', terms: { kind: 'concurrency', calls: 2 } }), change: { terms: { kind: 'concurrency', calls: 3 } } },
    { url: await make('/v1/operators', { name: 'o', role: 'viewer' }), change: { role: 'auditor' } },
    { url: await make('/v1/webhooks', { name: 'w', url: 'https://hooks.example.com/' }), change: { name: 'v' } },
    { url: await make('/v1/alert-rules', rule), change: { name: 's' } },
    { url: await make('/v1/budgets', budget), change: { name: 'c' } },
    { url: await make('/v1/prices', price) },
    { url: await make('/v1/credentials', { server: 'github', credential: headers }), change: { credential: headers }, method: 'PUT' },
  ];
}

describe('A102: what can be read by itself', () => {
  test('has a version wherever it can be changed or deleted', () => {
    const routes = markedRoutes(own);
    const read = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path));
    const changed = routes.filter(({ method, path }) => ['PATCH', 'PUT', 'DELETE'].includes(method) && read.has(path)).map(({ path }) => path);
    expect([...new Set(changed)].sort()).toEqual(Object.keys(versionedRoutes).sort());
  });

  test('is changed and deleted only as whoever asks has seen it: 428, 412 and 304, for each', async () => {
    const all = await resources();
    expect(all).toHaveLength(Object.keys(versionedRoutes).length);
    for (const { url, change, method = 'PATCH' } of all) {
      const read = await own.call('GET', url);
      const tag = tagOf(read);
      expect([read.status, tag], url).toEqual([200, expect.stringMatching(/^"\w+\.[\w-]{22}"$/)]);
      const known = await own.callWith({ 'if-none-match': `W/${tag}, "other"` }, 'GET', url);
      expect([known.status, known.text, tagOf(known)], url).toEqual([304, '', tag]);
      const verb = change === undefined ? 'DELETE' : method;
      const unsaid = await own.callWith({}, verb, url, change);
      expect([unsaid.status, unsaid.body.type], url).toEqual([428, 'urn:portcullis:problem:precondition_required']);
      for (const wrong of ['"7777777.x"', '"999999999"', `W/${tag}`]) {
        const refused = await own.callWith(match(wrong), verb, url, change);
        expect([refused.status, tagOf(refused).slice(1, -1)], `${url} ${wrong}`).toEqual([412, tag.slice(1).split('.')[0]]);
      }
      expect((await own.callWith(match('no tag'), verb, url, change)).status, url).toBe(400);
      if (change === undefined) {
        expect((await own.callWith(match(tag), 'DELETE', url)).status, url).toBe(204);
        expect((await own.callWith(match(tag), 'DELETE', url)).status, url).toBe(404);
        continue;
      }
      const done = await own.callWith(match(`"other", ${tag}`), verb, url, change);
      expect(done.status, `${url} ${done.text}`).toBe(200);
      expect((await own.callWith(match(tag), verb, url, change)).status, url).toBe(412);
      // The answer to a change has the tag that the next one needs, and so has its refusal.
      const next = await own.callWith(match(tagOf(done)), verb, url, change);
      expect(next.status, `${url} ${next.text}`).toBe(200);
      expect((await own.callWith({ 'if-none-match': tag }, 'GET', url)).status, url).toBe(200);
    }
  });

  test('keeps every update of writers who each read, add one and try again, and takes one of a hundred who mean the same version', async () => {
    const { body } = await own.call('POST', '/v1/budgets', { name: '0', subject: { agent: 'a' }, currency: 'EUR', amountMicros: '1' });
    for (const [url, member] of [
      ['/v1/agents/a', 'owner'],
      [`/v1/budgets/${body.id}`, 'name'],
    ] as const) {
      await own.call('PATCH', url, { [member]: '0' });
      const write = async (): Promise<void> => {
        const read = await own.call('GET', url);
        const done = await own.callWith(match(tagOf(read)), 'PATCH', url, { [member]: String(Number(read.body[member]) + 1) });
        if (done.status === 412) return write();
        expect(done.status).toBe(200);
      };
      await Promise.all(Array.from({ length: 8 }, write));
      const read = await own.call('GET', url);
      expect(read.body[member]).toBe('8');
      const same = Array.from({ length: 100 }, (_, at) => own.callWith(match(tagOf(read)), 'PATCH', url, { [member]: `by ${at}` }));
      const statuses = (await Promise.all(same)).map(({ status }) => status).sort((one, another) => one - another);
      expect(statuses).toEqual([200, ...Array.from({ length: 99 }, () => 412)]);
    }
  });

  test('deleted and made anew under its name is another', async () => {
    await own.call('POST', '/v1/agents', { slug: 'again' });
    const tag = tagOf(await own.call('GET', '/v1/agents/again'));
    await own.callWith(match('*'), 'DELETE', '/v1/agents/again');
    expect((await own.callWith(match(tag), 'PATCH', '/v1/agents/again', { name: 'x' })).status).toBe(404);
    await own.call('POST', '/v1/agents', { slug: 'again' });
    expect((await own.callWith(match(tag), 'PATCH', '/v1/agents/again', { name: 'x' })).status).toBe(412);
  });

  test('is not changed under a condition that nobody looks at', async () => {
    for (const url of ['/v1/agents', '/v1/agents/a/keys']) expect((await own.callWith(match('"1"'), 'POST', url, {})).status).toBe(400);
    expect((await own.callWith(match('"1"'), 'PUT', '/v1/groups/g/members/a')).status).toBe(400);
  });

  test('has the same version whatever discovery notes down', async () => {
    const before = tagOf(await own.call('GET', '/v1/servers/github'));
    await own.database.server.update({
      where: { slug: 'github' },
      data: { discoveredAt: new Date(), software: 'git 1.0', nextDiscoveryAt: new Date() },
    });
    const after = tagOf(await own.call('GET', '/v1/servers/github'));
    expect(after).not.toBe(before);
    expect((await own.callWith(match(before), 'PATCH', '/v1/servers/github', { description: 'unharmed' })).status).toBe(200);
  });
});

describe('A116: a request under an Idempotency-Key', () => {
  test('that is nested deeper than can be written again is refused as it is without one', async () => {
    const body = `{"slug":"deep","labels":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    for (const headers of [{}, keyed('deep')]) {
      const { status, body: problem } = await own.callWith(headers, 'POST', '/v1/agents', body);
      expect([status, problem.type]).toEqual([400, 'urn:portcullis:problem:validation']);
    }
  });

  const create = (key: string, body: object, token?: string) =>
    own.callWith({ ...keyed(key), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }, 'POST', '/v1/agents', body);
  const keysOf = async (slug: string): Promise<number> => own.database.agentKey.count({ where: { agent: { slug } } });

  test('is carried out once and answered alike, with the secret that is shown once, which lies nowhere in clear', async () => {
    const url = '/v1/agents/a/keys';
    const answers = [await own.callWith(keyed('k1'), 'POST', url, {}), await own.callWith(keyed('k1'), 'POST', url, {})];
    expect(answers.map(({ status, headers }) => [status, headers['idempotency-replayed'], headers['x-policy-revision']])).toEqual([
      [201, undefined, expect.anything()],
      [201, 'true', answers[0]?.headers['x-policy-revision']],
    ]);
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    expect(await keysOf('a')).toBe(1);
    const rows = await own.database.idempotencyKey.findMany();
    expect(JSON.stringify(rows)).not.toContain(answers[0]?.body.key.slice(-43));
  });

  test('with another body, or to another address, is refused (409)', async () => {
    expect((await create('k2', { slug: 'k2' })).status).toBe(201);
    for (const refused of [await create('k2', { slug: 'k2', name: 'x' }), await own.callWith(keyed('k2'), 'POST', '/v1/groups', { slug: 'k2' })])
      expect([refused.status, refused.body.type]).toEqual([409, 'urn:portcullis:problem:idempotency_key_reused']);
  });

  test('of another operator is another request', async () => {
    expect((await create('k3', { slug: 'k3' })).status).toBe(201);
    expect((await create('k3', { slug: 'k3-other' }, other)).status).toBe(201);
  });

  test('twenty times at once is carried out once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => own.callWith(keyed('k4'), 'POST', '/v1/agents/k3/keys', {})));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect(await keysOf('k3')).toBe(1);
  });

  test('that was refused may be tried again, and one of yesterday is forgotten', async () => {
    expect((await own.callWith(keyed('k5'), 'POST', '/v1/agents/late/keys', {})).status).toBe(404);
    await own.call('POST', '/v1/agents', { slug: 'late' });
    expect((await own.callWith(keyed('k5'), 'POST', '/v1/agents/late/keys', {})).status).toBe(201);
    await own.database.$executeRaw`UPDATE idempotency_key SET started_at = started_at - interval '25 hours'`;
    expect((await own.callWith(keyed('k5'), 'POST', '/v1/agents/late/keys', {})).headers['idempotency-replayed']).toBeUndefined();
    expect(await keysOf('late')).toBe(2);
  });

  test('whose sender died half-way is carried out by the next one if it made nothing, and never twice', async () => {
    const kept = own.app.get(IdempotencyKeys, { strict: false });
    const request = { operatorId: 'somebody', key: 'k6', text: 'the same' };
    const begin = async (): Promise<Attempt> => (await kept.begin(request)) as Attempt;
    const hold = (attempt: Attempt): Promise<void> => own.database.$transaction((tx) => attempt.hold(tx));
    const later = () => own.database.$executeRaw`UPDATE idempotency_key SET started_at = started_at - interval '10 minutes'`;
    const dead = await begin();
    await expect(begin()).rejects.toThrow('under way');
    await later();
    const next = await begin();
    await expect(hold(dead)).rejects.toThrow('begun anew');
    await hold(next);
    await kept.giveUp(next);
    await later();
    await expect(begin()).rejects.toThrow('its answer is lost');
  });

  test.each(['', 'x'.repeat(256), 'two words', 'ümlaut'])('takes a key that is one: %j is refused (400)', async (key) => {
    expect((await create(key, { slug: 'never' })).status).toBe(400);
  });

  test('takes no key of 10 KiB', async () => {
    expect((await create('x'.repeat(10_240), { slug: 'never' })).status).toBe(400);
  });
});

describe('?dryRun=true', () => {
  const requests: readonly ['POST' | 'PUT' | 'PATCH' | 'DELETE', string, object?][] = [
    ['POST', '/v1/agents', { slug: 'dry' }],
    ['PATCH', '/v1/agents/a', { enabled: false }],
    ['DELETE', '/v1/agents/a'],
    ['POST', '/v1/agents/a/keys', {}],
    ['POST', '/v1/servers', { slug: 'dry', url: 'https://dry.example.com/mcp' }],
    ['POST', '/v1/grants', { agent: 'a', server: 'github', names: ['*'] }],
    ['POST', '/v1/groups', { slug: 'dry' }],
    ['PATCH', '/v1/settings', { auditLists: true }],
    ['POST', '/v1/servers/github/definitions/approve', { all: true }],
    ['DELETE', '/v1/servers/github'],
  ];

  test('tells of any change of policy what it would do, and changes nothing', async () => {
    const [before, events, kept] = [await revision(), await own.database.auditEvent.count(), await own.database.policyRowChange.count()];
    for (const [method, url, body] of requests) {
      const answer = await own.call(method, `${url}?dryRun=true`, body);
      expect([answer.status, answer.headers['x-dry-run'], answer.body?.revision], `${method} ${url} ${answer.text}`).toEqual([200, 'true', before]);
      expect(answer.body.diff.length, `${method} ${url}`).toBe(Math.min(answer.body.changed * answer.body.diffTotal, 200));
      expect(answer.text).not.toContain('gw_');
    }
    expect([await revision(), await own.database.auditEvent.count(), await own.database.policyRowChange.count()]).toEqual([before, events, kept]);
  });

  test('refuses what the change would be refused for', async () => {
    expect((await own.call('POST', '/v1/agents?dryRun=true', { slug: 'a' })).status).toBe(409);
    expect((await own.call('PATCH', '/v1/agents/nobody?dryRun=true', { enabled: false })).status).toBe(404);
    expect((await own.callWith(match('"0"'), 'PATCH', '/v1/agents/a?dryRun=true', { enabled: false })).status).toBe(412);
    expect((await own.call('POST', '/v1/agents?dryRun=yes', { slug: 'dry' })).status).toBe(400);
    expect((await own.call('POST', '/v1/operators?dryRun=true', { name: 'p', role: 'viewer' })).status).toBe(400);
  });
});
