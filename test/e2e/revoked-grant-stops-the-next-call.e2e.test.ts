import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectLegacy, connectModern, namesSeenBy } from './agent-clients.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { messageIn, sendMcp, toolNamesIn } from './raw-mcp.js';
import { startTestServer, type TestServer } from './test-server.js';
import { whenSo } from './within.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('tools');
const wire = `${slug}__work`;
const endpoints = stack.gatewayUrls.map((url) => `${url}/mcp`);
const measured: string[] = [];

/** A client of either era that connected before the change and never connects again. */
interface Connected {
  readonly what: string;
  listsIt(): Promise<boolean>;
  runsIt(): Promise<boolean>;
  close(): Promise<void>;
}

let server: TestServer;
let agent: string;
let key: string;
let keyId: string;
let grantId: string;
let clients: Connected[];

async function connected(url: string, era: 'legacy' | 'modern'): Promise<Connected> {
  const client = await (era === 'legacy' ? connectLegacy : connectModern)({ url, key });
  const runsIt = (): Promise<boolean> =>
    client.callTool({ name: wire, arguments: { text: agent } }).then(
      () => true,
      () => false,
    );
  const listsIt = (): Promise<boolean> =>
    namesSeenBy(client).then(
      (names) => names.includes(wire),
      () => false,
    );
  return { what: `${era} at ${url}`, listsIt, runsIt, close: () => client.close() };
}

beforeAll(async () => {
  server = await startTestServer(['work', 'other']);
  await api.servers.create({ slug, url: server.url, approve: 'all' });
  await api.servers.discover(slug, { waitSeconds: 60 });
});

beforeEach(async () => {
  agent = freshSlug('worker');
  await api.agents.create({ slug: agent });
  grantId = (await api.grants.create({ agent, server: slug, names: ['work'] })).value.id;
  const { value } = await api.agents.createKey(agent, {}, { wait: 'all' });
  ({ key, id: keyId } = value);
  clients = await Promise.all(endpoints.flatMap((url) => [connected(url, 'legacy'), connected(url, 'modern')]));
  for (const client of clients) {
    expect(await client.listsIt()).toBe(true);
    expect(await client.runsIt()).toBe(true);
  }
  return async () => void (await Promise.all(clients.map((client) => client.close())));
});

afterAll(async () => {
  console.log(`From the answer of REST until it is so everywhere:\n${measured.map((line) => `  ${line}`).join('\n')}`);
  await server.close();
});

/** Makes the change, and waits until every client that was connected before it can neither list nor run the tool; then nothing may run any more. */
async function stopsEverywhere(what: string, change: () => Promise<unknown>): Promise<void> {
  await change();
  const since = performance.now();
  const times = await Promise.all(
    clients.map(async (client) => [
      await whenSo(`${client.what} lists it no more`, since, async () => !(await client.listsIt())),
      await whenSo(`${client.what} runs it no more`, since, async () => !(await client.runsIt())),
    ]),
  );
  measured.push(`${what}: ${Math.max(...times.flat())} ms`);
  const ran = server.ran.length;
  for (const client of clients) expect(await client.runsIt()).toBe(false);
  expect(server.ran).toHaveLength(ran);
}

async function comesBackEverywhere(what: string, change: () => Promise<unknown>): Promise<void> {
  await change();
  const since = performance.now();
  const times = await Promise.all(
    clients.map((client) => whenSo(`${client.what} lists and runs it again`, since, async () => (await client.listsIt()) && (await client.runsIt()))),
  );
  measured.push(`${what}: ${Math.max(...times)} ms`);
}

describe('on every node, for clients of both eras that stay connected', () => {
  test('a revoked grant stops the next call, and a new one lets it through again', async () => {
    await stopsEverywhere('grant revoked', () => api.grants.delete(grantId));
    for (const url of endpoints) {
      const answer = await sendMcp(url, { key, era: 'modern', method: 'tools/call', params: { name: wire, arguments: { text: agent } } });
      expect(messageIn(answer).error).toEqual({ code: -32602, message: `Unknown tool: ${wire}` });
    }
    await comesBackEverywhere('grant given', () => api.grants.create({ agent, server: slug, names: ['work'] }));
  });

  test('a grant that is narrowed, and a denial beside it, stop the next call', async () => {
    await stopsEverywhere('grant narrowed', () => api.grants.update(grantId, { names: ['other'] }));
    await comesBackEverywhere('grant widened', () => api.grants.update(grantId, { names: ['*'] }));
    await stopsEverywhere('denied', () => api.grants.create({ agent, server: slug, names: ['work'], effect: 'deny' }));
  });

  test('a revoked key is refused with 401', async () => {
    await stopsEverywhere('key revoked', () => api.agents.revokeKey(agent, keyId));
    for (const url of endpoints)
      for (const era of ['legacy', 'modern'] as const) {
        const answer = await sendMcp(url, { key, era, method: 'tools/list' });
        expect(answer.status).toBe(401);
        expect(answer.headers.map(([name]) => name)).toContain('www-authenticate');
      }
  });

  test('a disabled server stops, and one enabled again serves', async () => {
    await stopsEverywhere('server disabled', () => api.servers.update(slug, { enabled: false }));
    await comesBackEverywhere('server enabled', () => api.servers.update(slug, { enabled: true }));
  });

  test('a disabled agent stops, and one enabled again serves', async () => {
    await stopsEverywhere('agent disabled', () => api.agents.update(agent, { enabled: false }));
    await comesBackEverywhere('agent enabled', () => api.agents.update(agent, { enabled: true }));
  });

  test('a deleted agent is refused with 401', async () => {
    await stopsEverywhere('agent deleted', () => api.agents.delete(agent));
    for (const url of endpoints) expect((await sendMcp(url, { key, era: 'modern', method: 'tools/list' })).status).toBe(401);
  });

  test('a group gives and takes what its grants say', async () => {
    const group = freshSlug('team');
    await api.groups.create({ slug: group });
    await api.grants.create({ group, server: slug, names: ['work'] });
    await stopsEverywhere('own grant revoked', () => api.grants.delete(grantId));
    await comesBackEverywhere('joined a group', () => api.groups.addMember(group, agent));
    await stopsEverywhere('left the group', () => api.groups.removeMember(group, agent));
  });

  test('a grant ends by itself when it expires', async () => {
    await stopsEverywhere('grant expired', () => api.grants.update(grantId, { expiresAt: new Date(Date.now() + 1_000).toISOString() }));
  });
});

test('with wait=all, every node has applied the change when the answer comes', async () => {
  await api.grants.delete(grantId, { wait: 'all' });
  for (const url of endpoints) expect(toolNamesIn(await sendMcp(url, { key, era: 'legacy', method: 'tools/list' }))).toEqual([]);
});
