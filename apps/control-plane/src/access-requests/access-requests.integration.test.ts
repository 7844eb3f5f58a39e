import { newNodeKeyPair } from '@portcullis/secrets';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newOperatorToken, startTestApp, type Answer, type TestApp } from '../testing/start-test-app.js';
import { stopLoop } from '../testing/stop-loop.js';
import { RequestClock } from './request-clock.js';

let own: TestApp;
let node: string;
let approver: string;
let viewer: string;
let count = 0;
const agentIds = new Map<string, string>();

beforeAll(async () => {
  own = await startTestApp();
  await stopLoop(own, RequestClock);
  const { token } = (await own.call('POST', '/v1/nodes/join-tokens', {})).body;
  const { publicKey } = newNodeKeyPair();
  node = (await own.call('POST', '/v1/node/enrol', { name: 'node-1', sealingPublicKey: publicKey }, token)).body.nodeKey;
  approver = await newOperatorToken(own.app, 'approver');
  viewer = await newOperatorToken(own.app, 'viewer');
  for (const slug of ['github', 'payroll']) {
    const tags = slug === 'github' ? ['code'] : ['money'];
    await own.database.server.create({ data: { slug, name: slug, url: `https://${slug}.example.com/mcp`, tags } });
  }
});
afterAll(() => own.close());

async function anAgent(rule: object | null = { server: 'github', names: ['create_*'], durationSecondsMax: 7200 }): Promise<string> {
  const slug = `agent-${String((count += 1))}`;
  agentIds.set(slug, (await own.call('POST', '/v1/agents', { slug, owner: 'somebody' })).body.id);
  if (rule !== null) expect((await own.call('POST', '/v1/requestable', { agent: slug, ...rule })).status).toBe(201);
  return slug;
}

const ask = (agent: string, tool: string, rest: object = {}): Promise<Answer> =>
  own.call(
    'POST',
    '/v1/node/access-requests',
    { agentId: agentIds.get(agent), tool, reason: 'the outage', durationSeconds: 3600, callId: v7(), ...rest },
    node,
  );
const look = (agent: string, rest: object = {}): Promise<Answer> =>
  own.call('POST', '/v1/node/access-requests/find', { agentId: agentIds.get(agent), ...rest }, node);
const filed = async (agent: string, tool = 'github:create_issue'): Promise<string> => (await ask(agent, tool)).body.request.id;
const approve = (id: string, body: object = {}, token = approver): Promise<Answer> =>
  own.call('POST', `/v1/access-requests/${id}/approve`, { reason: 'fine', ...body }, token);
const problem = ({ status, body }: Answer): [number, string] => [status, String(body.type).split(':').at(-1) ?? ''];

describe('what an agent may ask for', () => {
  test('is what a rule names: what exists, what does not and what no rule is about get the same bytes', async () => {
    const agent = await anAgent();
    const asked = await ask(agent, 'github__create_issue');
    expect(asked.body).toMatchObject({ outcome: 'filed', request: { status: 'open', tools: ['github:create_issue'], durationSeconds: 3600 } });
    const outside = ['github:delete_repo', 'payroll:pay', 'nothing:at_all', 'github', 'github:', ':x', 'a b', 'github:create_*'];
    const answers = await Promise.all(outside.map((tool) => ask(agent, tool)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 {"outcome":"refused"}']));
    expect((await ask(await anAgent(null), 'github:create_issue')).body).toEqual({ outcome: 'refused' });
    expect((await ask(agent, 'github:create_issue', { agentId: v7() })).body).toEqual({ outcome: 'refused' });
  });

  test('may be said of a group and of tags, and no longer than the rule allows', async () => {
    await own.call('POST', '/v1/groups', { slug: 'devs' });
    await own.call('POST', '/v1/requestable', { group: 'devs', selector: { tags: { anyOf: ['code'] } }, names: ['*'], durationSecondsMax: 600 });
    const agent = await anAgent(null);
    expect((await ask(agent, 'github:x')).body.outcome).toBe('refused');
    await own.call('PUT', `/v1/groups/devs/members/${agent}`);
    expect((await ask(agent, 'github.x', { durationSeconds: 86_400 })).body.request).toMatchObject({ tools: ['github:x'], durationSeconds: 600 });
    expect((await ask(agent, 'payroll:pay')).body.outcome).toBe('refused');
  });

  test('may be said of what approved tools say of themselves, and of no tool that nobody approved', async () => {
    const agent = await anAgent(null);
    const { id: serverId } = await own.database.server.findUniqueOrThrow({ where: { slug: 'github' } });
    const tool = (name: string, annotations: object, isApproved = true) => {
      const json = Buffer.from(JSON.stringify({ name, annotations }));
      const approved = isApproved ? { approvedJson: json, approvedHash: name, state: 'approved' as const } : {};
      return { serverId, kind: 'tool' as const, name, json, hash: name, ...approved };
    };
    const tools = [tool('reads', { readOnlyHint: true }), tool('writes', { readOnlyHint: false }), tool('waits', { readOnlyHint: true }, false)];
    await own.database.definition.createMany({ data: tools });
    const selector = { tags: { anyOf: ['code'] }, annotations: { readOnlyHint: true } };
    const rule = await own.call('POST', '/v1/requestable', { agent, selector, names: ['*'] });
    expect([rule.status, rule.body.selector]).toEqual([201, selector]);
    const outcomes = async (names: string[]) => Promise.all(names.map(async (name) => (await ask(agent, `github:${name}`)).body.outcome));
    expect(await outcomes(['reads', 'writes', 'waits', 'nothing'])).toEqual(['filed', 'refused', 'refused', 'refused']);
    await own.database.definition.deleteMany({ where: { serverId } });
  });

  test('is a rule of policy: numbered, changed, reverted and taken away', async () => {
    const agent = await anAgent(null);
    const rule = await own.call('POST', '/v1/requestable', { agent, server: 'github', names: ['x'] });
    const path = `/v1/requestable/${rule.body.id}`;
    const changed = await own.call('PATCH', path, { names: ['y'], durationSecondsMax: 60 });
    expect(changed.body).toMatchObject({ names: ['y'], durationSecondsMax: 60 });
    expect(Number(changed.headers['x-policy-revision'])).toBe(Number(rule.headers['x-policy-revision']) + 1);
    const back = await own.call('POST', `/v1/revisions/${changed.headers['x-policy-revision'] as string}/revert`, { reason: 'back' });
    expect(back.status, back.text).toBe(200);
    expect((await own.call('GET', path)).body).toMatchObject({ names: ['x'] });
    expect((await own.call('DELETE', path)).status).toBe(204);
    expect((await own.call('GET', path)).status).toBe(404);
    expect((await ask(agent, 'github:x')).body.outcome).toBe('refused');
    for (const body of [
      { agent, names: ['x'] },
      { agent, group: 'devs', server: 'github', names: ['x'] },
      { agent, server: 'github', names: [] },
    ])
      expect((await own.call('POST', '/v1/requestable', body)).status).toBe(400);
    expect((await own.call('POST', '/v1/requestable', { agent, server: 'nothing', names: ['x'] })).status).toBe(404);
    const selector = { annotations: { readOnlyHint: true } };
    expect((await own.call('POST', '/v1/requestable', { agent, selector, kind: 'prompts', names: ['x'] })).status).toBe(400);
  });
});

describe('asking', () => {
  test('again for the same gives the same request', async () => {
    const agent = await anAgent();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(agent, 'github:create_issue')));
    expect(new Set(answers.map(({ body }) => body.request.id)).size).toBe(1);
    const events = await own.database.auditEvent.findMany({ where: { requestId: answers[0]?.body.request.id } });
    expect(events.map(({ method, operator }) => [method, operator])).toEqual([['operator/access-request.filed', `agent/${agent}`]]);
  });

  test('leaves at most five open, however many ask at once, and twenty an hour', async () => {
    const agent = await anAgent();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => ask(agent, `github:create_${at}`)));
    expect(answers.filter(({ body }) => body.outcome === 'filed')).toHaveLength(5);
    expect(answers.filter(({ body }) => body.outcome === 'too_many_open')).toHaveLength(7);
    const body = { agent, server: 'github', names: ['y'], durationSeconds: 60, reason: 'r' };
    expect(problem(await own.call('POST', '/v1/access-requests', body, viewer))).toEqual([409, 'conflict']);
    await own.database.accessRequest.updateMany({ where: { agentId: agentIds.get(agent) ?? '' }, data: { status: 'denied' } });
    const created = {
      agent,
      agentId: agentIds.get(agent) ?? '',
      server: 's',
      serverId: v7(),
      durationSeconds: 60,
      reason: 'r',
      status: 'denied',
    } as const;
    await own.database.accessRequest.createMany({ data: Array.from({ length: 15 }, () => ({ ...created, expiresAt: new Date() })) });
    expect((await ask(agent, 'github:create_z')).body).toEqual({ outcome: 'too_often' });
  });

  test('is recorded without what would hide from a reader', async () => {
    const { body } = await ask(await anAgent(), 'github:create_issue', { reason: 'please\u202E\n\u001b[31m\u200b now' });
    const [request] = (await own.call('GET', '/v1/access-requests?limit=1', undefined, approver)).body.items;
    expect([request.id, request.reason]).toEqual([body.request.id, 'please [31m now']);
  });

  test('for an agent is open to people, about anything that is registered', async () => {
    const agent = await anAgent(null);
    const body = { agent, server: 'payroll', names: ['pay'], durationSeconds: 600, reason: 'month end' };
    const asked = await own.call('POST', '/v1/access-requests', body, viewer);
    expect([asked.status, asked.body.status, asked.body.names]).toEqual([201, 'open', ['pay']]);
    expect(asked.body.filedBy).toMatch(/^viewer-/);
    expect((await own.call('POST', '/v1/access-requests', body, viewer)).body.id).toBe(asked.body.id);
    expect((await own.call('POST', '/v1/access-requests', body, own.auditor)).status).toBe(403);
    for (const missing of [{ agent: 'ghost' }, { server: 'ghost' }])
      expect((await own.call('POST', '/v1/access-requests', { ...body, ...missing }, viewer)).status).toBe(404);
    expect((await own.call('POST', '/v1/access-requests', { ...body, reason: ' ' }, viewer)).status).toBe(400);
    expect((await own.call('POST', `/v1/access-requests/${asked.body.id}/withdraw`, undefined, approver)).status).toBe(403);
    expect((await own.call('POST', `/v1/access-requests/${asked.body.id}/withdraw`, undefined, viewer)).body.status).toBe('withdrawn');
    expect((await own.call('POST', `/v1/access-requests/${asked.body.id}/withdraw`, undefined, viewer)).status).toBe(409);
  });

  test('shows an agent its own requests alone', async () => {
    const [mine, theirs] = [await anAgent(), await anAgent()];
    const [one, other] = [await filed(mine), await filed(theirs)];
    expect((await look(mine)).body.requests.map(({ id }: { id: string }) => id)).toEqual([one]);
    expect((await look(mine, { id: other })).text).toBe((await look(mine, { id: v7() })).text);
  });
});

describe('a decision', () => {
  test('to approve makes one grant that ends by itself, and the agent reads of it', async () => {
    const agent = await anAgent();
    const id = await filed(agent);
    const approved = await approve(id, { durationSeconds: 600, condition: 'args.repo == "acme"' });
    expect(approved.body).toMatchObject({ status: 'approved', decisionReason: 'fine' });
    expect(approved.headers['x-policy-revision']).toBeDefined();
    const grant = (await own.call('GET', `/v1/grants/${approved.body.grantId}`)).body;
    expect(grant).toMatchObject({ subject: { agent }, server: 'github', names: ['create_issue'], effect: 'allow', condition: 'args.repo == "acme"' });
    expect(Math.abs(Date.parse(grant.expiresAt) - Date.now() - 600_000)).toBeLessThan(30_000);
    expect((await look(agent, { id })).body.requests).toMatchObject([{ status: 'approved', decisionReason: 'fine', accessUntil: grant.expiresAt }]);
  });

  test('narrows and shortens, and never gives more than was asked for', async () => {
    const agent = await anAgent(null);
    const body = { agent, server: 'github', names: ['create_*', 'merge'], durationSeconds: 600, reason: 'r' };
    const { id } = (await own.call('POST', '/v1/access-requests', body, viewer)).body;
    for (const wider of [{ names: ['*'] }, { names: ['create_issue', 'delete'] }, { durationSeconds: 601 }])
      expect(problem(await approve(id, wider))).toEqual([400, 'validation']);
    const { grantId } = (await approve(id, { names: ['create_issue'], durationSeconds: 60 })).body;
    expect((await own.call('GET', `/v1/grants/${grantId}`)).body.names).toEqual(['create_issue']);
  });

  test('falls once, whoever decides at the same time', async () => {
    const id = await filed(await anAgent());
    const deny = own.call('POST', `/v1/access-requests/${id}/deny`, { reason: 'no' }, approver);
    const statuses = (await Promise.all([approve(id), approve(id, {}, own.admin), deny])).map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, 409, 409]);
    expect(await own.database.grant.count({ where: { reason: `access request ${id}` } })).toBeLessThanOrEqual(1);
  });

  test('is not for who filed the request, nor for who owns its agent or owned it in the last thirty days', async () => {
    const agent = await anAgent();
    const byThem = await own.call(
      'POST',
      '/v1/access-requests',
      { agent, server: 'github', names: ['x'], durationSeconds: 60, reason: 'r' },
      approver,
    );
    expect(problem(await approve(byThem.body.id))).toEqual([403, 'own_decision']);
    expect((await approve(byThem.body.id, {}, own.admin)).status).toBe(200);
    const { name } = await own.database.operator.findFirstOrThrow({ where: { role: 'approver' } });
    const id = await filed(agent);
    await own.call('PATCH', `/v1/agents/${agent}`, { owner: name });
    await own.call('PATCH', `/v1/agents/${agent}`, { owner: 'somebody' });
    expect(problem(await approve(id))).toEqual([403, 'own_decision']);
    expect(problem(await own.call('POST', `/v1/access-requests/${id}/deny`, { reason: 'no' }, approver))).toEqual([403, 'own_decision']);
    expect((await own.call('POST', `/v1/access-requests/${id}/withdraw`, undefined, approver)).status).toBe(200);
  });

  test('about an agent of their own is open to one who breaks the glass, so that one administrator alone can work', async () => {
    const agent = await anAgent();
    await own.call('PATCH', `/v1/agents/${agent}`, { owner: 'admin' });
    const id = await filed(agent);
    expect(problem(await approve(id, {}, own.admin))).toEqual([403, 'own_decision']);
    const headers = { authorization: `Bearer ${own.admin}`, 'content-type': 'application/json', 'x-break-glass': 'nobody else works here' };
    const payload = JSON.stringify({ reason: 'fine' });
    const broken = await own.app.inject({ method: 'POST', url: `/v1/access-requests/${id}/approve`, headers, payload });
    expect(broken.statusCode).toBe(200);
    const { change } = await own.database.revision.findFirstOrThrow({ where: { action: 'access-request.approved' }, orderBy: { revision: 'desc' } });
    expect(change).toMatchObject({ breakGlass: 'nobody else works here', widened: [{ agent, gains: ['github:create_issue'] }] });
  });

  test('comes too late after a week', async () => {
    const agent = await anAgent();
    const id = await filed(agent);
    await own.database.accessRequest.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } });
    expect(problem(await approve(id))).toEqual([409, 'conflict']);
    expect((await own.call('GET', `/v1/access-requests/${id}`, undefined, approver)).body.status).toBe('expired');
    await Promise.all([own.app.get(RequestClock).turn(), own.app.get(RequestClock).turn()]);
    expect(await own.database.auditEvent.count({ where: { requestId: id, method: 'operator/access-request.expired' } })).toBe(1);
    expect((await own.call('GET', `/v1/access-requests?status=open&agent=${agent}`)).body.items).toEqual([]);
    expect((await own.call('GET', `/v1/access-requests?status=expired&agent=${agent}`)).body.items).toHaveLength(1);
  });
});

describe('the thread of a request', () => {
  const thread = async (id: string) => (await own.call('GET', `/v1/access-requests/${id}/thread`, undefined, approver)).body;
  const steps = async (id: string) => (await thread(id)).entries.map(({ event }: { event: string }) => event);

  test('reads from the asking over decision, grant and use to the end of the access, each once', async () => {
    const agent = await anAgent();
    const id = await filed(agent);
    const { grantId } = (await approve(id)).body;
    for (const [seq, phase] of [
      [1n, 'intent'],
      [2n, 'outcome'],
      [3n, 'intent'],
      [4n, 'single'],
    ] as const) {
      const callId = v7();
      await own.database.auditEvent.create({
        data: {
          day: new Date(new Date().toISOString().slice(0, 10)),
          node: 'node-1',
          boot: agentIds.get(agent) ?? '',
          seq,
          id: callId,
          callId,
          phase,
          at: new Date(),
          method: 'tools/call',
          agent,
          decision: phase === 'single' ? 'deny' : 'allow',
          status: 'success',
          grantId,
        },
      });
    }
    expect(await steps(id)).toEqual(['filed', 'approved', 'granted', 'first-used', 'last-used']);
    expect((await thread(id)).uses).toBe(2);
    await own.call('PATCH', `/v1/grants/${grantId}`, { expiresAt: new Date(Date.now() - 1).toISOString() });
    await Promise.all([own.app.get(RequestClock).turn(), own.app.get(RequestClock).turn()]);
    expect(await steps(id)).toEqual(expect.arrayContaining(['grant-changed', 'grant-expired']));
    expect((await steps(id)).filter((event: string) => event === 'grant-expired')).toHaveLength(1);
  });

  test('tells of a grant that was taken away, by whoever or whatever', async () => {
    const [one, other] = [await anAgent(), await anAgent()];
    const [revoked, gone] = [await filed(one), await filed(other)];
    const { grantId } = (await approve(revoked)).body;
    await approve(gone);
    await own.call('DELETE', `/v1/grants/${grantId}`);
    await own.call('DELETE', `/v1/agents/${other}`);
    await own.app.get(RequestClock).turn();
    await own.app.get(RequestClock).turn();
    for (const id of [revoked, gone]) expect((await steps(id)).filter((event: string) => event === 'grant-ended')).toHaveLength(1);
    expect((await own.call('GET', `/v1/access-requests/${v7()}/thread`)).status).toBe(404);
  });
});
