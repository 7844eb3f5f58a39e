import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectModern, namesSeenBy } from './agent-clients.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('termed');
const agent = freshSlug('bounded');
const tag = freshSlug('tag');
const everywhere = { wait: 'all' } as const;
const patience = { timeout: 30_000 };
let server: TestServer;
let clients: Awaited<ReturnType<typeof connectModern>>[];

beforeAll(async () => {
  server = await startTestServer(['say', 'shout'], 'reject');
  await registerServer(api, slug, server.url);
  await api.agents.create({ slug: agent });
  const { key } = (await api.agents.createKey(agent, {}, everywhere)).value;
  clients = await Promise.all(stack.gatewayUrls.map((url) => connectModern({ url: `${url}/mcp`, key })));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.close();
});

const call = (tool: string, args: Record<string, unknown>) =>
  Promise.all(clients.map((client) => client.callTool({ name: `${slug}__${tool}`, arguments: args })));
const lists = () => Promise.all(clients.map(namesSeenBy));

test('a condition decides by the arguments of each call, on every node, and explain says the same', async () => {
  const grant = { agent, server: slug, names: ['say'], condition: 'args.text.startsWith("hello")' };
  const { id } = (await api.grants.create(grant, everywhere)).value;
  expect(await lists()).toEqual([[`${slug}__say`], [`${slug}__say`]]);
  for (const answer of await call('say', { text: 'hello there' })) expect(answer).toMatchObject({ content: [{ text: 'say: hello there' }] });
  for (const answer of await call('say', { text: 'bye' })) {
    expect(answer).toMatchObject({ isError: true, content: [{ text: 'These arguments are not allowed.' }] });
  }
  const explain = (args?: Record<string, unknown>) => api.policy.explain({ agent, target: `${slug}:say`, ...(args && { arguments: args }) });
  expect(await explain()).toMatchObject({ effect: 'conditional', visible: true, grantId: id });
  expect(await explain({ text: 'hello' })).toMatchObject({ effect: 'allow' });
  const refused = await explain({ text: 'bye' });
  expect(refused).toMatchObject({ effect: 'deny', visible: true, grantId: id, hints: [expect.stringContaining('args.text.startsWith')] });
  await api.grants.update(id, { condition: null, pinned: { text: 'fixed' } }, everywhere);
});

test('a pinned argument is not shown and always sent', async () => {
  const [tool] = await Promise.all(clients.map(async (client) => (await client.listTools()).tools[0]));
  expect(tool?.inputSchema).toMatchObject({ properties: {} });
  expect(JSON.stringify(tool)).not.toContain('"text"');
  for (const answer of await call('say', {})) expect(answer).toMatchObject({ content: [{ text: 'say: fixed' }] });
  for (const answer of await call('say', { text: 'mine' })) expect(answer.isError).toBe(true);
});

test('a server that gains a tag gains the grant that selects it, and what shadow grants would do is on record', async () => {
  await api.grants.create({ agent, selector: { tags: { anyOf: [tag] } }, names: ['*'] }, everywhere);
  expect(await lists()).toEqual([[`${slug}__say`], [`${slug}__say`]]);
  await api.servers.update(slug, { tags: [tag] }, everywhere);
  const both = [`${slug}__say`, `${slug}__shout`];
  expect(await lists()).toEqual([both, both]);
  const { id } = (await api.grants.create({ agent, server: slug, names: ['shout'], effect: 'deny', mode: 'shadow' }, everywhere)).value;
  for (const answer of await call('shout', { text: 'x' })) expect(answer).toMatchObject({ content: [{ text: 'shout: x' }] });
  await vi.waitFor(async () => expect(await api.grants.shadowReport(id)).toMatchObject({ wouldDeny: 2, wouldAllow: 0 }), patience);
  const [row] = (await api.grants.shadowReport(id)).rows;
  expect(row).toMatchObject({ agent, server: slug, tool: 'shout', decision: 'deny', calls: 2 });
});
