import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
  await own.database.server.create({ data: { slug: 'github', name: 'github', url: 'https://mcp.example.com/mcp' } });
});
afterAll(() => own.close());

type Step = [action: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object];

/** Every change an operator can make here, in an order in which each succeeds. `{id}` is the id in the answer before. */
const steps: Step[] = [
  ['agent.created', 'POST', '/v1/agents', { slug: 'a' }],
  ['agent.updated', 'PATCH', '/v1/agents/a', { name: 'A' }],
  ['group.created', 'POST', '/v1/groups', { slug: 'g' }],
  ['group-member.added', 'PUT', '/v1/groups/g/members/a'],
  ['group-member.removed', 'DELETE', '/v1/groups/g/members/a'],
  ['grant.created', 'POST', '/v1/grants', { agent: 'a', server: 'github', names: ['x'] }],
  ['grant.updated', 'PATCH', '/v1/grants/{id}', { names: ['y'] }],
  ['grant.deleted', 'DELETE', '/v1/grants/{id}'],
  ['agent-key.created', 'POST', '/v1/agents/a/keys', {}],
  ['agent-key.rotated', 'POST', '/v1/agents/a/keys/{id}/rotate', {}],
  ['agent-key.revoked', 'DELETE', '/v1/agents/a/keys/{id}'],
  ['agent.deleted', 'DELETE', '/v1/agents/a'],
  ['group.deleted', 'DELETE', '/v1/groups/g'],
  ['settings.updated', 'PATCH', '/v1/settings', { auditLists: false }],
  ['operator.created', 'POST', '/v1/operators', { name: 'o', role: 'auditor' }],
  ['operator.updated', 'PATCH', '/v1/operators/o', { role: 'admin' }],
  ['operator-token.created', 'POST', '/v1/operators/o/tokens', {}],
  ['operator-token.revoked', 'DELETE', '/v1/operators/o/tokens/{id}'],
  ['operator.deleted', 'DELETE', '/v1/operators/o'],
];

test('every change leaves exactly one audit event that names its action and its operator', async () => {
  let id = '';
  for (const [action, method, url, body] of steps) {
    const { _max: before } = await own.database.auditEvent.aggregate({ _max: { seq: true } });
    const answer = await own.call(method, url.replace('{id}', id), body);
    expect(answer.status, `${method} ${url}: ${answer.text}`).toBeLessThan(300);
    expect(answer.headers['cache-control']).toBe('no-store');
    id = answer.body?.id ?? id;
    const events = await own.database.auditEvent.findMany({ where: { seq: { gt: before.seq ?? 0n } } });
    expect(events.map((event) => [event.method, event.operator, event.phase, event.status])).toEqual([
      [`operator/${action}`, 'admin', 'single', 'success'],
    ]);
    const isPolicy = !action.startsWith('operator');
    expect([events[0]?.revision !== null, answer.headers['x-policy-revision'] !== undefined]).toEqual([isPolicy, isPolicy]);
  }
});
