import { createApiClient } from '@portcullis/api-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLegacy, connectModern, namesSeenBy } from './agent-clients.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';
import { whenSo } from './within.js';

const stack = demoStack();
const admin = apiOf(stack);
const slug = freshSlug('asked');
const wire = `${slug}__work`;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(['work', 'other']);
  await registerServer(admin, slug, server.url);
});
afterAll(() => server.close());

const asOperator = async (role: 'approver' | 'viewer') => {
  const operator = await admin.operators.create({ name: freshSlug(role), role });
  const { token } = await admin.operators.createToken(operator.id);
  return createApiClient({ baseUrl: stack.controlPlaneUrl, token });
};

describe.each([
  ['legacy', connectLegacy],
  ['modern', connectModern],
] as const)('an agent of the %s era', (_era, connect) => {
  test('asks, somebody else decides, the tool appears and goes again by itself, and it all reads as one thread', async () => {
    const approver = await asOperator('approver');
    const agent = freshSlug('asker');
    await admin.agents.create({ slug: agent, owner: 'somebody' });
    await admin.requestable.create({ agent, server: slug, names: ['work'] });
    const { value } = await admin.agents.createKey(agent, {}, { wait: 'all' });
    const client = await connect({ url: `${stack.gatewayUrls[0]}/mcp`, key: value.key });
    const elsewhere = await connect({ url: `${stack.gatewayUrls[1]}/mcp`, key: value.key });
    const tool = async (name: string, args: object): Promise<Record<string, unknown>> => {
      const result = (await client.callTool({ name: `portcullis__${name}`, arguments: { ...args } })) as Record<string, unknown>;
      return (result['structuredContent'] ?? result) as Record<string, unknown>;
    };
    expect(await namesSeenBy(client)).toEqual(['portcullis__access_requests', 'portcullis__request_access']);

    expect((await tool('request_access', { tool: `${slug}:other`, reason: 'curious' }))['isError']).toBe(true);
    const { request } = (await tool('request_access', { tool: wire, reason: 'the outage', duration: '1h' })) as { request: { id: string } };
    expect(await tool('access_requests', { id: request.id })).toMatchObject({ requests: [{ status: 'open', tools: [`${slug}:work`] }] });

    const { value: decided } = await approver.accessRequests.approve(request.id, { reason: 'agreed' }, { wait: 'all' });
    for (const each of [client, elsewhere]) expect(await namesSeenBy(each)).toContain(wire);
    expect(await tool('access_requests', { id: request.id })).toMatchObject({ requests: [{ status: 'approved', decisionReason: 'agreed' }] });
    await elsewhere.callTool({ name: wire, arguments: { text: agent } });
    expect(server.ran).toContain(agent);

    const soon = new Date(Date.now() + 1500).toISOString();
    await admin.grants.update(decided.grantId ?? '', { expiresAt: soon }, { wait: 'all' });
    await whenSo('the tool is gone by itself', performance.now(), async () => !(await namesSeenBy(client)).includes(wire));

    const steps = async () => (await approver.accessRequests.thread(request.id)).entries.map(({ event }) => event);
    await whenSo('use and end are on record', performance.now(), async () => {
      const seen = await steps();
      return seen.includes('grant-expired') && seen.includes('first-used');
    });
    expect(await steps()).toEqual(['filed', 'approved', 'granted', 'first-used', 'grant-changed', 'grant-expired']);
    await Promise.all([client.close(), elsewhere.close()]);
  });
});
