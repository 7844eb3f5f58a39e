import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentAt, connectLegacy, connectModern, inspect, namesSeenBy } from './agent-clients.js';
import { apiOf, demoGrants, demoStack, freshSlug } from './demo-stack.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const nodes = stack.gatewayUrls.map((url, index) => ({ node: `node ${index + 1}`, url }));
const agents = Object.entries(demoGrants).map(([agent, names]) => ({ agent, names: [...names] }));
const cells = nodes.flatMap(({ node, url }) => agents.map((one) => ({ node, url, ...one })));

const at = (url: string, agent: string, path = '/mcp'): AgentAt => ({ url: `${url}${path}`, key: stack.agents[agent] ?? '' });

/** A call each demo agent may make, and what its answer holds. */
const allowedCalls: Record<string, { name: string; arguments: Record<string, string>; holds: string }> = {
  'code-review-agent': { name: 'github__create_issue', arguments: { repo: 'acme/storefront', title: 'From a test' }, holds: 'From a test' },
  'data-agent': { name: 'postgres__query', arguments: { sql: 'SELECT 6 * 7 AS answer' }, holds: '42' },
  'comms-agent': { name: 'slack__list_channels', arguments: {}, holds: 'channels' },
};

describe.each(cells)('$agent at $node', ({ agent, url, names }) => {
  const { holds, ...call } = allowedCalls[agent] ?? { name: '', arguments: {}, holds: '' };

  test('lists exactly its tools by SDK v1, and an allowed call answers', async () => {
    const client = await connectLegacy(at(url, agent));
    expect(await namesSeenBy(client)).toEqual(names);
    const result = await client.callTool(call);
    expect(result.isError).toBeFalsy();
    expect(JSON.stringify(result.content)).toContain(holds);
    await client.close();
  });

  test('lists exactly its tools by SDK v2, and an allowed call answers', async () => {
    const client = await connectModern(at(url, agent));
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(await namesSeenBy(client)).toEqual(names);
    const result = await client.callTool(call);
    expect(result.isError).toBeFalsy();
    expect(JSON.stringify(result.content)).toContain(holds);
    await client.close();
  });
});

describe.each(nodes)('the official inspector at $node', ({ url }) => {
  test.each(agents.flatMap((one) => (['legacy', 'modern'] as const).map((era) => ({ era, ...one }))))(
    'lists exactly the tools of $agent in the $era era',
    async ({ agent, names, era }) => {
      const { tools = [] } = await inspect(at(url, agent), era, ['--method', 'tools/list']);
      expect(tools.map(({ name }) => name).sort()).toEqual(names);
    },
  );

  test.each(['legacy', 'modern'] as const)('gets the answer of an allowed call in the %s era, and none of another', async (era) => {
    const call = ['--method', 'tools/call', '--tool-name'];
    const sql = 'sql=SELECT 6 * 7 AS answer';
    const result = await inspect(at(url, 'data-agent'), era, [...call, 'postgres__query', '--tool-arg', sql]);
    expect(JSON.stringify(result.content)).toContain('42');
    await expect(inspect(at(url, 'comms-agent'), era, [...call, 'postgres__query', '--tool-arg', sql])).rejects.toThrow(/postgres__query/);
  });
});

describe.each(nodes)('the endpoint of one server at $node', ({ url }) => {
  test('shows an agent its tools there under their own names, and an allowed call answers', async () => {
    const here = at(url, 'comms-agent', '/servers/slack/mcp');
    for (const connect of [connectLegacy, connectModern]) {
      const client = await connect(here);
      expect(await namesSeenBy(client)).toEqual(['list_channels', 'post_message']);
      const result = await client.callTool({ name: 'list_channels', arguments: {} });
      expect(JSON.stringify(result.content)).toContain('channels');
      await client.close();
    }
    for (const era of ['legacy', 'modern'] as const) {
      const { tools = [] } = await inspect(here, era, ['--method', 'tools/list']);
      expect(tools.map(({ name }) => name).sort()).toEqual(['list_channels', 'post_message']);
    }
  });

  test('shows an agent without a grant there nothing, as at a server that does not exist', async () => {
    for (const slug of ['slack', 'nowhere'])
      for (const connect of [connectLegacy, connectModern]) {
        const client = await connect(at(url, 'data-agent', `/servers/${slug}/mcp`));
        expect(await namesSeenBy(client)).toEqual([]);
        await client.close();
      }
  });
});

describe('a long list', () => {
  const names = Array.from({ length: 250 }, (_, index) => `tool_${String(index).padStart(3, '0')}`);
  const slug = freshSlug('long');
  const agent = freshSlug('reader');
  let server: TestServer;
  let key: string;

  beforeAll(async () => {
    server = await startTestServer(names);
    await api.servers.create({ slug, url: server.url, approve: 'all' });
    await api.servers.discover(slug, { waitSeconds: 60 });
    await api.agents.create({ slug: agent });
    await api.grants.create({ agent, server: slug, names: ['tool_*'] });
    key = (await api.agents.createKey(agent, {}, { wait: 'all' })).value.key;
  });
  afterAll(() => server.close());

  test('reaches clients of both eras whole, each tool once, page by page', async () => {
    for (const { url } of nodes)
      for (const connect of [connectLegacy, connectModern]) {
        const client = await connect({ url: `${url}/mcp`, key });
        expect(await namesSeenBy(client)).toEqual(names.map((name) => `${slug}__${name}`));
        await client.close();
      }
  });
});
