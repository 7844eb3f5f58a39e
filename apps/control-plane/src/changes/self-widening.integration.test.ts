import { BREAK_GLASS_HEADER } from '@portcullis/contracts/api/conventions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { markedRoutes } from '../testing/marked-routes.js';
import { startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
/** An administrator who owns agents and has no break-glass right. */
let owner: string;
let count = 0;

beforeAll(async () => {
  own = await startTestApp();
  await own.call('POST', '/v1/operators', { name: 'Olga', role: 'admin' });
  owner = (await own.call('POST', '/v1/operators/Olga/tokens', {})).body.token;
});
afterAll(() => own.close());

const json = Buffer.from('{}');
const fresh = (what: string): string => `${what}-${String((count += 1))}`;
const must = async (...[method, url, body]: Parameters<TestApp['call']>) => {
  const answer = await own.call(method, url, body);
  expect(answer.status, `${method} ${url}: ${answer.text}`).toBeLessThan(300);
  return answer.body;
};

/** A server with one approved tool and one that waits for approval. */
async function aServer(rest: object = {}): Promise<string> {
  const slug = fresh('server');
  const { id } = await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp`, ...rest } });
  const tool = { serverId: id, kind: 'tool' as const, json, hash: 'a'.repeat(64) };
  await own.database.definition.create({ data: { ...tool, name: 'read', state: 'approved', approvedJson: json, approvedHash: 'a'.repeat(64) } });
  await own.database.definition.create({ data: { ...tool, name: 'write', state: 'pending' } });
  return slug;
}

async function anAgent(rest: object = { owner: 'olga' }): Promise<string> {
  const slug = fresh('agent');
  await must('POST', '/v1/agents', { slug, ...rest });
  return slug;
}

type Attempt = [method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object | string];

/** For every route that changes policy: how an owner would use it to widen an agent of theirs, or why it cannot. */
const attempts: Record<string, (() => Promise<Attempt>) | string> = {
  'POST /v1/grants': async () => ['POST', '/v1/grants', { agent: await anAgent(), server: await aServer(), names: ['read'] }],
  'PATCH /v1/grants/:id': async () => {
    const { id } = await must('POST', '/v1/grants', { agent: await anAgent(), server: await aServer(), names: ['read'] });
    return ['PATCH', `/v1/grants/${id}`, { names: ['read', 'write'] }];
  },
  'DELETE /v1/grants/:id': async () => {
    const [agent, server] = [await anAgent(), await aServer()];
    await must('POST', '/v1/grants', { agent, server, names: ['*'] });
    const { id } = await must('POST', '/v1/grants', { agent, server, names: ['write'], effect: 'deny' });
    return ['DELETE', `/v1/grants/${id}`];
  },
  'PUT /v1/groups/:group/members/:agent': async () => {
    const [group, agent] = [fresh('group'), await anAgent()];
    await must('POST', '/v1/groups', { slug: group });
    await must('POST', '/v1/grants', { group, server: await aServer(), names: ['read'] });
    return ['PUT', `/v1/groups/${group}/members/${agent}`];
  },
  'DELETE /v1/groups/:group/members/:agent': async () => {
    const { group, agent } = await deniedThroughGroup();
    return ['DELETE', `/v1/groups/${group}/members/${agent}`];
  },
  'DELETE /v1/groups/:group': async () => ['DELETE', `/v1/groups/${(await deniedThroughGroup()).group}`],
  'PATCH /v1/agents/:agent': async () => {
    const agent = await anAgent();
    await must('POST', '/v1/grants', { agent, server: await aServer(), names: ['read'] });
    await must('PATCH', `/v1/agents/${agent}`, { enabled: false });
    return ['PATCH', `/v1/agents/${agent}`, { enabled: true }];
  },
  'POST /v1/servers': async () => {
    const agent = await anAgent();
    const tag = fresh('tag');
    await must('POST', '/v1/grants', { agent, selector: { tags: { anyOf: [tag] } }, names: ['*'] });
    return ['POST', '/v1/servers', { slug: fresh('new'), url: 'https://mcp.example.com/mcp', tags: [tag], approve: 'all' }];
  },
  'PATCH /v1/servers/:server': async () => {
    const [agent, server, tag] = [await anAgent(), await aServer(), fresh('tag')];
    await must('POST', '/v1/grants', { agent, selector: { tags: { anyOf: [tag] } }, names: ['*'] });
    return ['PATCH', `/v1/servers/${server}`, { tags: [tag] }];
  },
  'POST /v1/servers/:server/definitions/approve': async () => {
    const [agent, server] = [await anAgent(), await aServer()];
    await must('POST', '/v1/grants', { agent, server, names: ['*'] });
    return ['POST', `/v1/servers/${server}/definitions/approve`, { all: true }];
  },
  'POST /v1/access-requests/:id/approve': async () => {
    const agent = await own.database.agent.findUniqueOrThrow({ where: { slug: await anAgent() } });
    const server = await own.database.server.findUniqueOrThrow({ where: { slug: await aServer() } });
    const asked = {
      agentId: agent.id,
      agent: agent.slug,
      serverId: server.id,
      server: server.slug,
      names: ['read'],
      durationSeconds: 60,
      reason: 'r',
    };
    const { id } = await own.database.accessRequest.create({ data: { ...asked, expiresAt: new Date('2099-01-01') } });
    return ['POST', `/v1/access-requests/${id}/approve`, { reason: 'why not' }];
  },
  'POST /v1/definitions/approve': async () => {
    const [agent, server] = [await anAgent(), await aServer()];
    await must('POST', '/v1/grants', { agent, server, names: ['*'] });
    const { hash } = await must('POST', '/v1/definitions/approve', { select: { server }, dryRun: true });
    return ['POST', '/v1/definitions/approve', { select: { server }, hash, reason: 'wanted' }];
  },
  'POST /v1/servers/:server/resume': async () => {
    const [agent, server] = [await anAgent(), await aServer()];
    await must('POST', '/v1/grants', { agent, server, names: ['*'] });
    await own.database.server.update({ where: { slug: server }, data: { suspendedAt: new Date() } });
    return ['POST', `/v1/servers/${server}/resume`, { reason: 'wanted' }];
  },
  'POST /v1/revisions/:revision/revert': async () => {
    const { id } = await must('POST', '/v1/grants', { agent: await anAgent(), server: await aServer(), names: ['read'] });
    await must('DELETE', `/v1/grants/${id}`);
    return ['POST', `/v1/revisions/${await revision()}/revert`, { reason: 'back' }];
  },
  'POST /v1/policy/apply': async () => {
    const grant = { agent: await anAgent(), server: await aServer(), names: ['read'] };
    return ['POST', '/v1/policy/apply', { changes: [{ do: 'grant.create', grant }], reason: 'among others' }];
  },
  // JSON is YAML too, and a text in JSON is a file.
  'POST /v1/policy/import': async () => {
    const grants = [{ agent: await anAgent(), server: await aServer(), names: ['read'] }];
    return ['POST', '/v1/policy/import', JSON.stringify(JSON.stringify({ version: 1, grants }))];
  },
  'POST /v1/epochs': 'says which database counts and changes no row of policy',
  'POST /v1/credentials': 'what a server is called with says nothing about who may call it',
  'PUT /v1/credentials/:id': 'what a server is called with says nothing about who may call it',
  'DELETE /v1/credentials/:id': 'takes what a server is called with',
  'PUT /v1/servers/:server/tls': 'how a server is reached says nothing about who may call it',
  'DELETE /v1/servers/:server/tls': 'how a server is reached says nothing about who may call it',
  'POST /v1/servers/:server/profiles': 'what is proposed runs nowhere',
  'POST /v1/servers/:server/profiles/:version/approve': 'what runs says nothing about who may call it, and what it offers waits until it is the same',
  'POST /v1/servers/:server/profiles/:version/reject': 'ends what runs',
  'DELETE /v1/runners/:id': 'ends what runs there',
  'POST /v1/agents': 'an agent begins with nothing',
  'DELETE /v1/agents/:agent': 'an agent that is gone reaches nothing, and made again it still counts as owned',
  'POST /v1/agents/:agent/keys': 'a key opens what its agent has',
  'POST /v1/agents/:agent/keys/:key/rotate': 'a key opens what its agent has',
  'DELETE /v1/agents/:agent/keys/:key': 'takes a way in',
  'POST /v1/agents/:agent/identities': 'an identity opens what its agent has',
  'DELETE /v1/agents/:agent/identities/:identity': 'takes a way in',
  'POST /v1/requestable': 'what may be asked for is granted by somebody else',
  'PATCH /v1/requestable/:id': 'what may be asked for is granted by somebody else',
  'DELETE /v1/requestable/:id': 'takes a way of asking',
  'POST /v1/limits': 'how often what an agent has may be called says nothing about what it has',
  'PATCH /v1/limits/:id': 'how often what an agent has may be called says nothing about what it has',
  'DELETE /v1/limits/:id': 'how often what an agent has may be called says nothing about what it has',
  'POST /v1/groups': 'a group begins with nothing',
  'DELETE /v1/servers/:server': 'grants and denials of a server that is gone concern nothing',
  'POST /v1/servers/:server/definitions/reject': 'takes definitions away',
  'POST /v1/definitions/reject': 'takes definitions away',
  'POST /v1/prices': 'prices say what calls cost',
  'DELETE /v1/prices/:id': 'prices say what calls cost',
  'PATCH /v1/settings': 'settings say nothing about who may use what',
};

async function deniedThroughGroup(): Promise<{ group: string; agent: string }> {
  const [group, agent, server] = [fresh('group'), await anAgent(), await aServer()];
  await must('POST', '/v1/groups', { slug: group });
  await must('PUT', `/v1/groups/${group}/members/${agent}`);
  await must('POST', '/v1/grants', { agent, server, names: ['*'] });
  await must('POST', '/v1/grants', { group, server, names: ['write'], effect: 'deny' });
  return { group, agent };
}

const revision = async () => (await own.database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;
const isRefused = ({ status, body }: Answer): boolean => status === 403 && /:problem:(self_widening|own_decision)$/.test(body.type);

describe('an owner cannot widen an agent of theirs', () => {
  test('by any route: each that changes policy is tried, or cannot widen', () => {
    const routes = markedRoutes(own).filter(({ changesPolicy }) => changesPolicy);
    expect(routes.length).toBeGreaterThan(15);
    expect(routes.map(({ method, path }) => `${method} ${path}`).filter((route) => attempts[route] === undefined)).toEqual([]);
  });

  test.each(Object.entries(attempts).filter(([, attempt]) => typeof attempt === 'function'))('by %s', async (_route, attempt) => {
    if (typeof attempt === 'string') return;
    const [method, url, body] = await attempt();
    const before = await revision();
    const refused = await own.call(method, url, body, owner);
    expect(isRefused(refused), refused.text).toBe(true);
    expect(refused.body.detail).toMatch(/^You own.* in the last 30 days/);
    // A dry run does not say yes to what the change is refused for.
    const rehearsed = await own.call(method, `${url}?dryRun=true`, body, owner);
    expect([rehearsed.status, rehearsed.body]).toEqual([refused.status, refused.body]);
    expect(await revision()).toBe(before);
    // Somebody else may.
    await must(method, url, body);
  });

  test('by address, by switching a server on, or by a grant that starts later or has a condition', async () => {
    const [agent, server] = [await anAgent(), await aServer({ enabled: false })];
    await must('POST', '/v1/grants', { agent, server, names: ['read'] });
    expect(isRefused(await own.call('PATCH', `/v1/servers/${server}`, { enabled: true }, owner))).toBe(true);
    await must('PATCH', `/v1/servers/${server}`, { enabled: true });
    expect(isRefused(await own.call('PATCH', `/v1/servers/${server}`, { url: 'https://other.example.com/mcp' }, owner))).toBe(true);
    for (const terms of [{ notBefore: '2099-01-01T00:00:00Z' }, { condition: 'args.a == 1' }, { pinned: { a: 1 } }])
      expect(isRefused(await own.call('POST', '/v1/grants', { agent, server, names: ['write'], ...terms }, owner))).toBe(true);
  });

  test('by rules on answers, whichever way they are loosened', async () => {
    const [agent, server, reason] = [await anAgent(), await aServer(), 'r'];
    await must('POST', '/v1/grants', { agent, server, names: ['read'] });
    const secrets = { names: ['*'], action: 'redact', secrets: true };
    await must('PATCH', `/v1/servers/${server}`, { answerRules: { rules: [secrets] } });
    const setting = await revision();
    const file = (answerRules: object | null): string => JSON.stringify(JSON.stringify({ version: 1, servers: { [server]: { answerRules } } }));
    const looser = [null, { rules: [{ ...secrets, action: 'log' }] }, { rules: [{ ...secrets, agents: ['others-*'] }] }];
    for (const answerRules of looser) {
      const draft = { changes: [{ do: 'server.update', server, change: { answerRules } }], reason };
      expect(isRefused(await own.call('PATCH', `/v1/servers/${server}`, { answerRules }, owner))).toBe(true);
      expect(isRefused(await own.call('POST', '/v1/policy/apply', draft, owner))).toBe(true);
      expect(isRefused(await own.call('POST', '/v1/policy/import', file(answerRules), owner))).toBe(true);
    }
    expect(isRefused(await own.call('POST', `/v1/revisions/${setting}/revert`, { reason }, owner))).toBe(true);
    const stricter = { rules: [{ ...secrets, action: 'block' }] };
    expect((await own.call('PATCH', `/v1/servers/${server}`, { answerRules: stricter }, owner)).status).toBe(200);
    await must('PATCH', `/v1/servers/${server}`, { answerRules: null });
  });

  test('whatever the case of their name, among several owners, or as an address in angle brackets', async () => {
    const server = await aServer();
    for (const name of ['OLGA', 'team, Olga', 'Olga Example <olga>', ' olga ', 'Ｏｌｇａ']) {
      const agent = await anAgent({ owner: name });
      expect(isRefused(await own.call('POST', '/v1/grants', { agent, server, names: ['read'] }, owner)), name).toBe(true);
    }
    const others = await anAgent({ owner: 'olga-of-another-team' });
    expect((await own.call('POST', '/v1/grants', { agent: others, server, names: ['read'] }, owner)).status).toBe(201);
  });

  test('by an import, which does the other rows all the same', async () => {
    const tag = fresh('tag');
    await must('POST', '/v1/grants', { agent: await anAgent(), selector: { tags: { anyOf: [tag] } }, names: ['*'] });
    const rows = [tag, 'other'].map((each) => ({ id: each, slug: fresh('row'), url: 'https://mcp.example.com/mcp', tags: [each] }));
    const headers = { authorization: `Bearer ${owner}`, 'content-type': 'application/x-ndjson' };
    const payload = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const done = await own.app.inject({ method: 'POST', url: '/v1/imports', headers, payload });
    expect(done.json()).toMatchObject({ created: 1, failed: 1 });
    expect(await own.database.server.findMany({ where: { slug: { in: rows.map(({ slug }) => slug) } }, select: { tags: true } })).toEqual([
      { tags: ['other'] },
    ]);
  });

  test('by giving it away or making it anew first, until thirty days have passed', async () => {
    const server = await aServer();
    const given = await anAgent();
    expect((await own.call('PATCH', `/v1/agents/${given}`, { owner: 'somebody else' }, owner)).status).toBe(200);
    const made = await anAgent();
    expect((await own.call('DELETE', `/v1/agents/${made}`, undefined, owner)).status).toBe(204);
    expect((await own.call('POST', '/v1/agents', { slug: made, owner: 'somebody else' }, owner)).status).toBe(201);
    for (const agent of [given, made]) {
      const grant = { agent, server, names: ['read'] };
      expect(isRefused(await own.call('POST', '/v1/grants', grant, owner))).toBe(true);
      const until = new Date(Date.now() - 31 * 86_400_000);
      await own.database.agentOwnership.updateMany({ where: { agentSlug: agent, owner: 'olga' }, data: { until } });
      expect((await own.call('POST', '/v1/grants', grant, owner)).status).toBe(201);
    }
  });
});

test('an owner may narrow, and do for others what they may not do for themselves', async () => {
  const [agent, server, other] = [await anAgent(), await aServer(), await anAgent({ owner: 'carl' })];
  const { id } = await must('POST', '/v1/grants', { agent, server, names: ['read', 'write'] });
  const asOwner = async (...[method, url, body]: Attempt) => (await own.call(method, url, body, owner)).status;
  expect(await asOwner('PATCH', `/v1/grants/${id}`, { names: ['read'] })).toBe(200);
  expect(await asOwner('POST', '/v1/grants', { agent, server, names: ['*'], effect: 'deny' })).toBe(201);
  expect(await asOwner('POST', `/v1/agents/${agent}/keys`, {})).toBe(201);
  expect(await asOwner('POST', '/v1/grants', { agent: other, server, names: ['*'] })).toBe(201);
  expect(await asOwner('DELETE', `/v1/grants/${id}`)).toBe(204);
});

describe('break-glass', () => {
  const breaking = async (token: string, reason: string, [method, url, body]: Attempt): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, [BREAK_GLASS_HEADER]: reason, 'content-type': 'application/json' };
    return (await own.app.inject({ method, url, headers, payload: JSON.stringify(body) })).statusCode;
  };

  test('lets whoever has the right go on, and says so in the revision and in the audit trail', async () => {
    const [agent, server] = [await anAgent({ owner: 'admin' }), await aServer()];
    const grant: Attempt = ['POST', '/v1/grants', { agent, server, names: ['read'] }];
    expect(isRefused(await own.call(...grant))).toBe(true);
    expect(await breaking(own.admin, 'too short', grant)).toBe(400);
    expect(await breaking(own.admin, 'production is down, nobody else is here', grant)).toBe(201);
    const kept = { breakGlass: 'production is down, nobody else is here', widened: [{ agent, gains: [`${server}:read`] }] };
    const { change } = await own.database.revision.findUniqueOrThrow({ where: { revision: await revision() } });
    expect(change).toMatchObject(kept);
    const event = await own.database.auditEvent.findFirstOrThrow({ where: { method: 'operator/grant.created' }, orderBy: { seq: 'desc' } });
    expect(JSON.parse(Buffer.from(event.arguments ?? []).toString())).toMatchObject(kept);
  });

  test('is for those who were given the right, which nobody gives to themselves', async () => {
    const grant: Attempt = ['POST', '/v1/grants', { agent: await anAgent(), server: await aServer(), names: ['read'] }];
    const reason = 'production is down, nobody else is here';
    expect(await breaking(owner, reason, grant)).toBe(403);
    expect((await own.call('PATCH', '/v1/operators/Olga', { breakGlass: true }, owner)).status).toBe(403);
    expect((await must('PATCH', '/v1/operators/Olga', { breakGlass: true })).breakGlass).toBe(true);
    expect(await breaking(owner, reason, grant)).toBe(201);
    await must('PATCH', '/v1/operators/Olga', { breakGlass: false });
    expect(await breaking(owner, reason, grant)).toBe(403);
  });
});

test('twenty owners at once wait for one another and not for ever', async () => {
  const server = await aServer();
  const agents = await Promise.all(Array.from({ length: 20 }, () => anAgent()));
  const answers = await Promise.all(agents.map((agent) => own.call('POST', '/v1/grants', { agent, server, names: ['read'] }, owner)));
  expect(answers.every(isRefused)).toBe(true);
});
